"""The counts of progress lines are those of the jobs that a call will run, not of the files that it found."""

from experiments.exploding_gradient import cliff
from experiments.gradient_clipping import power_function
from seven_terms.cli.workflow import count_jobs
from seven_terms.planning import plans_at
from seven_terms.records.folder import Folder
from seven_terms.running.progress import say_done, say_trained


def begun(tmp_path, jobs):
    plans = plans_at((cliff.experiment, power_function.experiment), "smoke")
    for path in plans:  # of an earlier call
        for file in (Folder(tmp_path).summary(path), Folder(tmp_path).metrics(path, next(iter(plans[path].stacks)))):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    count_jobs(plans, Folder(tmp_path), jobs)
    return list(plans), sum(len(plan.stacks) for plan in plans.values())


def test_what_is_made_again_is_counted_from_one(tmp_path, capsys):
    (first, second), _ = begun(
        tmp_path, [("summarize", "exploding_gradient/cliff"), ("summarize", "gradient_clipping/power_function")]
    )
    for path in (first, second):
        say_done(tmp_path, "summarize", f"summarized {path}", experiment=path)
    assert [line.rpartition(", ")[2] for line in capsys.readouterr().out.splitlines()] == ["1 of 2", "2 of 2"]


def test_what_is_kept_is_counted_before_the_first(tmp_path, capsys):
    (first, _), stacks = begun(
        tmp_path, [("summarize", "exploding_gradient/cliff"), ("train", "exploding_gradient/cliff")]
    )
    say_done(tmp_path, "summarize", "summarized", experiment=first)
    say_trained(tmp_path, experiment=first, expected_seconds=1.0, seconds=1.0)
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "summarized, 2 of 2"
    assert told[1].endswith(f"{stacks} of {stacks} stacks in all")


def test_a_count_that_cannot_be_written_stops_no_call(tmp_path):
    (tmp_path / "progress").write_text("in the way")
    begun(tmp_path, [])
