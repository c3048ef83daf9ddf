"""The background of the run: times, machine, versions, and the config with the origin of each value."""

from __future__ import annotations

from mltrain.report.page.charts.bars import Bar, bars
from mltrain.report.page.charts.frame import Chart
from mltrain.report.page.facts import Facts
from mltrain.report.page.html import Content, Html, element, joined
from mltrain.report.page.parts import facts as fact_list
from mltrain.report.page.parts import figures, folded, section, sub, table
from mltrain.report.text import duration
from mltrain.wording import counted

# Shorter phases are one line: together they are hardly visible.
_SMALLEST_SHARE = 0.005
_SWITCH: dict[bool | str, str] = {True: "on", False: "off"}


def background_section(facts: Facts) -> Html:
    """Return the section on how the run came about."""
    record = facts.record
    git = record.git
    pairs: list[tuple[str, Content]] = [
        ("Command", element("code", " ".join(record.command))),
        ("Directory", element("code", record.working_directory)),
        ("Started", record.started),
        ("Finished", record.finished or "not yet"),
        ("Machine", f"{record.machine.processor}, {counted(record.machine.cores, 'core')}"),
        ("System", record.machine.system),
    ]
    if record.device is not None:
        pairs.append(("Device", f"{record.device.value}: {record.device.reason}"))
    if git is not None:
        pairs.append(
            ("Git commit", element("code", f"{git.commit}{', with uncommitted changes' if git.dirty else ''}"))
        )
    pairs.append(("Versions", ", ".join(f"{name} {version}" for name, version in record.versions.items())))
    if facts.kept_epochs:
        pairs.append(("Kept epochs", ", ".join(map(str, facts.kept_epochs))))
    if record.seeds:
        pairs.append(("Seeds", ", ".join(f"{name} {seed}" for name, seed in record.seeds.items())))
    if record.determinism:
        switches = ", ".join(f"{name} {_SWITCH.get(value, value)}" for name, value in record.determinism.items())
        pairs.append(("Switches", switches))
    pairs += [(name, element("code", value)) for name, value in record.environment.items()]
    parts: list[Content] = [fact_list(pairs)]
    if record.resumed:
        resumed = [(each.time, f"{each.step:,}", ", ".join(each.inexact) or "none") for each in record.resumed]
        parts.append(table("Resumed", ("when", "from step", "differences"), resumed, texts=3))
    if facts.profile is not None:
        parts.append(sub("Where the time went", figures([profile_chart(facts)])))
    return section("background", "How it came about", *parts)


def profile_chart(facts: Facts) -> Chart:
    """Return the phases of the process, the longest first."""
    profile = facts.profile
    assert profile is not None  # noqa: S101 (the caller looked)
    ordered = sorted(profile.phases, key=lambda phase: phase.seconds, reverse=True)
    long = [phase for phase in ordered if phase.share >= _SMALLEST_SHARE]
    rest = sum(phase.seconds for phase in ordered[len(long) :])
    each = [Bar(phase.phase, phase.seconds, f"{duration(phase.seconds)} ({phase.share:.0%})") for phase in long]
    each += [Bar("shorter phases", rest, duration(rest))] if rest else []
    said = ", ".join(f"{bar.name} {bar.written}" for bar in each)
    caption = f"Where the {duration(profile.seconds)} of the process went, until {profile.written}."
    return Chart("profile", bars(f"Time by phase: {said}", each), caption)


def config_section(facts: Facts) -> Html:
    """Return the section with the config, as given and with every value filled in."""
    return section(
        "config",
        "Config",
        folded("As given", element("pre", element("code", facts.given), **_SCROLLED), shown=True),
        folded(
            "Every value and where it comes from",
            element("pre", element("code", _resolved(facts.resolved)), **_SCROLLED),
        ),
    )


_SCROLLED: dict[str, str] = {"tabindex": "0"}


def _resolved(text: str) -> Html:
    """Return the lines with the origin of each value in another colour; defaults are grey."""
    lines = []
    for line in text.splitlines(keepends=True):
        value, mark, who = line.rpartition("  # ")
        if not mark:
            lines.append(joined(line))
            continue
        look = "default" if who.strip() == "default" else "stated"
        lines.append(element("span", value, element("i", f"{mark}{who}"), class_=look))
    return joined(lines)
