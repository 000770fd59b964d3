"""Every trained model says what it is: beside it in a notice and in models.json, and inside it."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from scripts import models
from tests.support.places import ROOT

FILES = list(models.models())
MODEL = ROOT / "transforms/extraction/plain/models/plain_headline.npz"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_model_is_what_its_record_says(path: Path) -> None:
    assert models.mistakes(path) == []


@pytest.mark.parametrize("folder", sorted({path.parent for path in FILES}), ids=lambda folder: folder.parent.name)
def test_a_notice_beside_the_models_names_each_of_them(folder: Path) -> None:
    notice = "".join(file.read_text("utf-8") for file in folder.glob("*NOTICE*"))
    for path in FILES:
        if path.parent == folder:
            kind = path.name.split("_")[0] + "_*" + path.suffix
            assert path.name in notice or kind in notice, f"no notice names {path.name}"


@pytest.mark.parametrize("folder", sorted({path.parent for path in FILES}), ids=lambda folder: folder.parent.name)
def test_no_record_is_of_a_model_that_is_gone(folder: Path) -> None:
    assert [name for name in models.records_beside(folder / "any.npz") if not (folder / name).exists()] == []


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for name in (MODEL.name, models.RECORDS):
        shutil.copy(MODEL.with_name(name), tmp_path)
    return tmp_path / MODEL.name


def test_a_model_that_was_trained_anew_and_not_recorded_is_found(copied: Path) -> None:
    arrays = models.read_arrays(copied)
    models.write_arrays(copied, arrays | {"bias": arrays["bias"] + 1})
    (mistake,) = models.mistakes(copied)
    assert "is not the model that models.json describes" in mistake


def test_a_model_whose_inside_says_something_else_or_nothing_is_found(copied: Path) -> None:
    arrays = models.read_arrays(copied)
    del arrays[models.ABOUT]
    np.savez_compressed(copied, **arrays)
    (mistake,) = models.mistakes(copied)
    assert "its array `about`" in mistake


def test_recording_writes_the_hash_of_the_data_the_date_and_the_score(copied: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/rows.jsonl").write_text("{}\n")
    arrays = models.read_arrays(copied)
    models.write_arrays(copied, arrays | {"bias": arrays["bias"] + 1})
    models.stamp(copied, models.recorded(copied, tmp_path / "data", ".93 (a command)"))
    assert models.mistakes(copied) == []
    record = models.records_beside(copied)[copied.name]
    assert record["score"] == ".93 (a command)"
    assert record["data_sha256"] == models.folder_hash(tmp_path / "data")
    assert record["tools"]["numpy"] == np.__version__
    (tmp_path / "data/rows.jsonl").write_text("[]\n")
    assert record["data_sha256"] != models.folder_hash(tmp_path / "data")


def test_recording_changes_nothing_that_a_model_computes_with(copied: Path) -> None:
    before, after = models.read_arrays(MODEL), models.read_arrays(copied)
    models.stamp(copied, models.recorded(copied, copied.parent, "1"))
    after = models.read_arrays(copied)
    assert before.keys() == after.keys()
    for name in before.keys() - {models.ABOUT}:
        assert np.array_equal(before[name], after[name])
        assert before[name].shape == after[name].shape
