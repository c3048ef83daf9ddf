"""Where the time of a run went, as a table. The text is safe to print."""

from __future__ import annotations

from mltrain.run.profile import Profile


def profile_table(profile: Profile) -> str:
    """Return the phases as lines, the longest first, and their sum."""
    longest_first = sorted(profile.phases, key=lambda phase: phase.seconds, reverse=True)
    rows = [(phase.phase, phase.times, phase.seconds, phase.share) for phase in longest_first]
    lines = [f"{'time':<22}{'times':>7}{'seconds':>11}{'share':>8}"]
    lines += [f"{name:<22}{times:>7,}{seconds:>11,.3f}{share:>8.1%}" for name, times, seconds, share in rows]
    return "\n".join((*lines, f"{'sum':<29}{profile.seconds:>11,.3f}"))
