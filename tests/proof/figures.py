# SPDX-License-Identifier: Apache-2.0
"""What the page shows of a soak; README.md says what each figure means."""
from . import faults, referee

MUST_BE_0 = ("books_wrong", *referee.WRONG, "complaints")
COUNTS = ("kills", "gateway_kills", "relay_kills", "site_broker_kills", "net_broker_kills", "freezes", "cuts",
          "books_read", "files_compared", "ledgers_read", "published", "published_at_qos_0", "acknowledged_by_broker",
          "unanswered", "unanswered_at_qos_0", "accepted", "delivered", "conflated", "conflated_yet_delivered",
          "arrived", *MUST_BE_0, "left_before_the_disk", "sent_again_to_sink", "forgotten_by_source",
          "repeated_by_source", "forgotten_by_sink", "sessions_forgotten")


def of_soak(args, counts, passed, deaths, points):
    """Name -> value. `passed`: fail points that some life passed, `deaths`: daemon -> {fail point: how often it died
    there}, `points`: all there are."""
    found = {"seed": args.seed, "minutes": args.minutes, "broker": args.broker, "restored_side": args.restored,
             "link_loss": args.loss}
    found.update((name, f"{counts[name]} (limit 0)" if name in MUST_BE_0 else counts[name]) for name in COUNTS)
    found["fail_points_passed"] = f"{len(passed)}/{len(points)}"
    for name in faults.DAEMONS:
        found[f"{name}_deaths_at_fail_points"] = ", ".join(
            f"{point} {count}" for point, count in sorted(deaths[name].items()))
    return found
