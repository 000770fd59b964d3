"""Scores predicted copies and stories against labelled documents. Needs no other package.

Documents carry `cluster` (copies of each other) and `story` (one event); `pairs.jsonl.gz` lists labelled pairs: `same`,
`contains`, `partial` (not counted), `diff`, `story_same`, `story_diff`. A prediction is a pointer from each document to
an earlier one it copies (`duplicate_of`), or a `cluster`. Measures: pairs (precision, recall, F1), B-cubed (Bagga and
Baldwin 1998), adjusted Rand index (Hubert and Arabie 1985), and verdicts: is this document redundant given the earlier
ones?
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from scripts.evaluation.corpus import documents, rows

Document = dict[str, Any]
BY_PAIRS = ("provenance", "reuters")
"""Sets whose copies are labelled by pairs, not by clusters."""
HORIZON_HOURS = 72


def ratios(true: int, false: int, missed: int) -> dict[str, float]:
    """Returns precision, recall and F1."""
    precision = true / (true + false) if true + false else 1.0
    recall = true / (true + missed) if true + missed else 1.0
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return {"P": precision, "R": recall, "F1": f1}


def _pairs(n: int) -> int:
    return n * (n - 1) // 2


def cluster_scores(gold: Mapping[str, str], predicted: Mapping[str, str]) -> dict[str, float]:
    """Pairs, B-cubed and adjusted Rand index of two clusterings of the same documents."""
    n = len(gold)
    golds, founds = Counter(gold.values()), Counter(predicted[i] for i in gold)
    both = Counter((gold[i], predicted[i]) for i in gold)
    true = sum(map(_pairs, both.values()))
    found, wanted = sum(map(_pairs, founds.values())), sum(map(_pairs, golds.values()))
    precision = sum(count * count / founds[p] for (_, p), count in both.items()) / n
    recall = sum(count * count / golds[g] for (g, _), count in both.items()) / n
    expected, mean = (found * wanted / _pairs(n) if n > 1 else 0.0), (found + wanted) / 2
    return {
        "documents": n,
        **{f"pair {name}": value for name, value in ratios(true, found - true, wanted - true).items()},
        "B3 P": precision,
        "B3 R": recall,
        "B3 F1": 2 * precision * recall / (precision + recall),
        "ARI": (true - expected) / (mean - expected) if mean != expected else 1.0,
    }


def clusters_of(predictions: Iterable[Document]) -> dict[str, str]:
    """Returns the cluster of each document: as given, else the root of its pointers.

    Raises:
        ValueError: pointers go round in a circle.
    """
    given = {row["id"]: row for row in predictions}
    clusters: dict[str, str] = {}
    for name, row in given.items():
        if "cluster" in row:
            clusters[name] = row["cluster"]
            continue
        path = [name]
        while (of := given.get(path[-1], {}).get("duplicate_of")) is not None:
            if of in path:
                raise ValueError(f"{name}: its pointers go round in a circle: {path}")
            path.append(of)
        clusters[name] = path[-1]
    return clusters


def _labelled_pairs(folder: Path, docs: Mapping[str, Document], stories: bool) -> list[Document]:
    path = folder / "pairs.jsonl.gz"
    pairs = rows(path) if path.exists() else iter(())
    return [
        {**pair, "label": pair["label"].split(":")[0]}
        for pair in pairs
        if pair["label"].startswith("story") == stories and pair["a"] in docs and pair["b"] in docs
    ]


def score_copies(folder: Path, docs: Mapping[str, Document], predictions: list[Document]) -> dict[str, dict[str, Any]]:
    """Returns all measures of the copies found, by set."""
    clusters = clusters_of(predictions)
    pointers = {row["id"]: row["duplicate_of"] for row in predictions}
    pairs = _labelled_pairs(folder, docs, stories=False)
    scores: dict[str, dict[str, Any]] = {}
    gold: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for name, doc in docs.items():
        if doc.get("cluster") and doc["set"] not in BY_PAIRS:
            gold[doc["set"]][name] = doc["cluster"]
    if {"derived", "hardneg"} <= set(gold):
        gold["derived+hardneg"] = {**gold["derived"], **gold["hardneg"]}
    for name, labels in sorted(gold.items()):
        scores[f"clusters {name}"] = cluster_scores(labels, clusters)
    members: defaultdict[str, list[str]] = defaultdict(list)
    for name in [*gold["derived"], *gold["hardneg"]]:
        members[docs[name]["cluster"]].append(name)
    scores["loss"] = {
        "groups": len(members),
        "groups without survivor": sum(all(pointers[name] for name in group) for group in members.values()),
        "documents not predicted": sum(name not in pointers for name in docs),
    }
    for name in sorted({pair["set"] for pair in pairs}):
        scores[f"pairs {name}"] = _pair_scores(name, docs, pairs, clusters)
    scores.update(_verdicts(docs, pairs, pointers))
    return scores


def _pair_scores(
    name: str, docs: Mapping[str, Document], pairs: list[Document], clusters: Mapping[str, str]
) -> dict[str, Any]:
    own = [pair for pair in pairs if pair["set"] == name]
    count = Counter((pair["label"], clusters[pair["a"]] == clusters[pair["b"]]) for pair in own)
    listed = {frozenset((pair["a"], pair["b"])) for pair in own}
    together: defaultdict[str, list[str]] = defaultdict(list)
    for doc in docs.values():
        if doc["set"] == name:
            together[clusters[doc["id"]]].append(doc["id"])
    # Pairs that share too little text to be listed at all are different.
    unlisted = sum(
        frozenset((a, b)) not in listed for group in together.values() for i, a in enumerate(group) for b in group[:i]
    )
    return {
        **ratios(count["same", True], count["diff", True] + unlisted, count["same", False]),
        "excerpts linked": f"{count['contains', True]}/{count['contains', True] + count['contains', False]}",
    }


def _verdicts(
    docs: Mapping[str, Document], pairs: list[Document], pointers: Mapping[str, str | None]
) -> dict[str, dict[str, Any]]:
    redundant: dict[str, bool | None] = {}
    for name, doc in docs.items():
        if doc["set"] == "derived":
            redundant[name] = doc["relation"] != "original"
        elif doc["set"] in ("hardneg", *BY_PAIRS):
            redundant[name] = False
    for pair in pairs:
        if pair["set"] not in BY_PAIRS or pair.get("dt_h", 0) > HORIZON_HOURS:
            continue
        early, late = sorted((pair["a"], pair["b"]), key=lambda name: (docs[name].get("timestamp") or "", name))
        shorter = len(docs[late]["text"]) <= len(docs[early]["text"])
        if pair["label"] == "same" or (pair["label"] == "contains" and shorter):
            redundant[late] = True
        elif pair["label"] in ("partial", "contains") and redundant.get(late) is False:
            redundant[late] = None
    counts: defaultdict[str, Counter[tuple[bool, bool]]] = defaultdict(Counter)
    for name, gold in redundant.items():
        if gold is not None and name in pointers:
            counts[docs[name]["set"]][gold, pointers[name] is not None] += 1
    return {
        f"verdicts {name}": {
            **ratios(count[True, True], count[False, True], count[True, False]),
            "wrongly dropped": f"{count[False, True]}/{count[False, True] + count[False, False]}",
            "missed": f"{count[True, False]}/{count[True, True] + count[True, False]}",
        }
        for name, count in sorted(counts.items())
    }


def score_stories(folder: Path, docs: Mapping[str, Document], clusters: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Returns all measures of the stories found, by set; of altered documents only the originals count."""
    gold: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for name, doc in docs.items():
        if doc.get("story") and not (doc["set"] == "derived" and doc.get("relation") != "original"):
            gold[doc["set"]][name] = doc["story"]
    scores: dict[str, dict[str, Any]] = {
        f"stories {name}": cluster_scores(labels, clusters) for name, labels in sorted(gold.items())
    }
    pairs = _labelled_pairs(folder, docs, stories=True)
    for name in sorted({pair["set"] for pair in pairs}):
        own = [pair for pair in pairs if pair["set"] == name]
        count = Counter((pair["label"], clusters[pair["a"]] == clusters[pair["b"]]) for pair in own)
        found = ratios(count["story_same", True], count["story_diff", True], count["story_same", False])
        scores[f"story pairs {name}"] = {"pairs": len(own), **found}
    return scores


def by_operation(docs: Mapping[str, Document], clusters: Mapping[str, str]) -> dict[str, str]:
    """Counts, for each way of altering a document, how many altered ones were linked to their original."""
    counts: defaultdict[str, Counter[bool]] = defaultdict(Counter)
    for name, doc in docs.items():
        if doc["set"] == "derived" and doc["relation"] != "original" and doc["cluster"] in clusters:
            counts["+".join(doc["ops"])][clusters[name] == clusters[doc["cluster"]]] += 1
    return {name: f"{count[True]}/{count.total()}" for name, count in sorted(counts.items())}


def table(scores: Mapping[str, Mapping[str, Any]]) -> str:
    """Formats the scores, one line a group."""
    return "\n".join(
        f"{name:<28}"
        + "  ".join(
            f"{key} {value:.4f}" if isinstance(value, float) else f"{key} {value}" for key, value in line.items()
        )
        for name, line in scores.items()
    )


def by_id(folder: Path, sets: set[str] | None) -> dict[str, Document]:
    """Reads the documents of a folder by id."""
    return {doc["id"]: doc for doc in documents(folder, sets)}
