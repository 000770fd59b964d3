"""Facts about scripts/predict.py: predictions do not depend on the process, nor on the order of the input."""

import json
import os
import subprocess
import sys

import pytest

from tests.support.places import ROOT

ROWS = [
    {
        "id": "1",
        "title": "Late goal sends Rovers through",
        "text": "The striker scored a penalty and the team won the cup.",
    },
    {"id": "2", "title": "Wahl", "text": "Die Regierung und das Parlament haben am Dienstag über die Wahlen beraten."},
    {
        "id": "3",
        "title": "",
        "text": "Udal batzarrak zubi zaharra ixtea erabaki du.",
        "lang": "eu",
        "section": "Sports",
    },
    {
        "id": "4",
        "title": "Tremblement de terre",
        "text": "Le séisme a fait des morts et des blessés dans les villages.",
    },
    {"id": "5", "title": "", "text": ""},
]


def predict(what, rows, folder, seed):
    source, target = folder / f"{what}{seed}.in.jsonl", folder / f"{what}{seed}.out.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    command = [sys.executable, str(ROOT / "scripts" / "predict.py"), what, str(source), str(target)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONHASHSEED": str(seed)}, capture_output=True)
    return [json.loads(line) for line in target.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("what", ["topics", "language"])
def test_predictions_are_the_same_in_another_process_and_another_order(tmp_path, what):
    forwards = predict(what, ROWS, tmp_path, 1)
    backwards = predict(what, ROWS[::-1], tmp_path, 2)
    assert forwards == backwards[::-1]
    assert [row["id"] for row in forwards] == [row["id"] for row in ROWS]


def test_predictions_have_the_form_that_is_scored(tmp_path):
    sport, politics, basque, _, nothing = predict("topics", ROWS, tmp_path, 3)
    assert sport["primary"] == "medtop:15000000"
    assert len(sport["scores"]) == 17
    assert sport["topics"][0] == {
        "code": "medtop:15000000",
        "score": sport["scores"]["medtop:15000000"],
        "name": "sport",
        "source": "model",
    }
    assert politics["primary"] == "medtop:11000000"
    assert basque["topics"][0]["source"] == "section"
    assert nothing["topics"] == []
    assert nothing["primary"] is None
