# SPDX-License-Identifier: Apache-2.0
"""What an hour of soak must have shown: that nothing was lost says little where little was tried. What a shorter run
came to stands in its figures."""
from .faults import mortal

HOUR = 60  # minutes from which on it counts
KILLS = 1000
# Shares of what was to be published, each way. Positions and telemetry that gave way to later ones do not arrive.
FLOORS = {"published": 0.95, "accepted": 0.9, "arrived": 0.75}


def lacking(minutes, counts, planned, deaths, restored):
    """Findings. `planned`: way -> messages; `deaths`: daemon -> {fail point: how often it died there}."""
    if minutes < HOUR:
        return []
    found = [f"only {counts['kills']} kills, {KILLS} are due"] if counts["kills"] < KILLS else []
    for way, messages in planned.items():
        found += [f"{way}: {counts[f'{way}_{name}']} {name} of {messages:.0f} planned, {share:.0%} are due"
                  for name, share in FLOORS.items() if counts[f"{way}_{name}"] < share * messages]
    for name, points in mortal(restored).items():
        found += [f"the {name} never died at {point}" for point in sorted(points) if not deaths[name].get(point)]
    return found
