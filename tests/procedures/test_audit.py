"""The audit of the data through `train`: in the terminal, in the run, and in the report."""

import json

import numpy as np


def test_what_is_wrong_with_the_data_is_said_and_recorded(mltrain, tmp_path):
    draw = np.random.default_rng(0)
    rows = [
        f"{a:.4f},{b:.4f},{'paid' if a + b > 0 else 'open'},{int(a + b > 0)}\n" for a, b in draw.normal(size=(100, 2))
    ]
    (tmp_path / "data.csv").write_text("a,b,state,y\n" + "".join(rows + rows[:40]))
    (tmp_path / "config.yaml").write_text(
        "data: {source: {type: csv, path: data.csv}, target: y}\nmodel: linear\ntraining: {epochs: 1, batch_size: 64}\n"
    )
    done = mltrain("train", "config.yaml", "--run-dir", "run")
    assert done.code == 0, done.err
    run = tmp_path / "run"
    audit = json.loads((run / "audit.json").read_text())
    warnings = [each for each in audit["findings"] if each["level"] == "warning"]
    assert [each["finding"] for each in warnings] == ["repeated_rows", "repeated_rows", "leaked_feature"]
    assert [line for line in done.err.splitlines() if line.startswith("warning: ")][:3] == [
        f"warning: {each['sentence']} [{each['key']}]" for each in warnings
    ]

    # Counted by hand, from the splits that the run has used.
    train, test = ({*np.load(run / "splits" / f"{name}.npy").tolist()} for name in ("train", "test"))
    again = sorted(
        row for row in test if {row % 100, row % 100 + 100} & train and {row % 100, row % 100 + 100} != {row}
    )
    twins = [next(other for other in (row % 100, row % 100 + 100) if other != row) for row in again]
    again = [(row, twin) for row, twin in zip(again, twins, strict=True) if twin in train]
    (row, twin), *_ = again
    sentence = warnings[1]["sentence"]
    assert sentence.startswith(f"{len(again)} of 28 test rows are training rows too")
    assert f"data.csv:{row + 2} is data.csv:{twin + 2}" in sentence  # the header is line 1

    page, card = ((run / name).read_text() for name in ("report.html", "report.md"))
    assert 'id="audit"' in page
    assert "training rows too, with equal features and target" in page
    assert "## Data audit" in card
    found = [f"{each['level']}: {each['sentence']} [{each['key']}]" for each in audit["findings"]]
    shown = mltrain("show", "run").out
    assert "\naudit: 3 warnings and 1 note in " in shown
    assert all(f"  {line}\n" in shown for line in found)

    alone = mltrain("audit", "config.yaml")
    assert (alone.code, alone.err) == (0, "")
    assert alone.out.splitlines()[1:] == found
    assert alone.out.splitlines()[0].endswith(": 3 warnings and 1 note.")
    strict = mltrain("audit", "config.yaml", "--strict")
    assert (strict.code, strict.out) == (10, alone.out)
    assert strict.err == "error: config.yaml: the audit found a warning, and --strict makes that an error\n"
    for_programs = mltrain("audit", "config.yaml", "--strict", "--json")
    assert (for_programs.code, json.loads(for_programs.out)) == (10, audit)
    assert mltrain("audit", "config.yaml", "--strict", "--set", "training.epochs=many").code == 3

    (run / "audit.json").unlink()  # a run of before
    assert mltrain("report", "run").code == 0
    assert 'id="audit"' not in (run / "report.html").read_text()
