# SPDX-License-Identifier: Apache-2.0
"""What the programs of the proof make of their options, and of what others print."""
import importlib.util
import pathlib
import sys
import types
import unittest
from unittest import mock

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from proof import faults, million, model, restore, scenario, soak  # noqa: E402


class SoakTest(unittest.TestCase):
    def runs(self, *words):
        return list(soak.runs(soak.arguments(words)))

    def test_one_run_as_its_seed_says(self):
        for seed in range(30):
            ((args, prefix),) = self.runs("--seed", str(seed))
            self.assertEqual(faults.Setting(args.broker, args.restored, args.loss), faults.setting(seed))
            self.assertEqual((args.seed, args.minutes, prefix), (seed, 2, ""))

    def test_a_second_run_has_the_other_broker(self):
        for seed in range(30):
            (first, _), (second, prefix) = self.runs("--seed", str(seed), "--minutes", "60", "--also", "10")
            self.assertEqual({first.broker, second.broker}, set(faults.BROKER_KINDS))
            self.assertEqual((first.minutes, second.minutes, prefix), (60, 10, "also_"))
            self.assertEqual(second.broker, faults.setting(second.seed).broker)

    def test_a_broker_may_be_chosen(self):
        for broker in faults.BROKER_KINDS:
            (first, _), (second, _) = self.runs("--broker", broker, "--also", "1")
            self.assertEqual(first.broker, broker)
            self.assertNotEqual(second.broker, broker)

    def test_a_finding_fails_and_says_how_to_have_it_again(self):
        ((args, _),) = self.runs("--seed", "7", "--broker", "foreign")
        for findings in ([], ["a"]):
            with mock.patch.multiple(soak, soak=lambda *_: ({}, findings), print=mock.DEFAULT, tempfile=mock.DEFAULT,
                                     pathlib=mock.DEFAULT, shutil=mock.DEFAULT, create=True) as made:
                self.assertEqual(soak.once(args), not findings)
            said = [word for call in made["print"].call_args_list for word in call.args]
            self.assertEqual("again: ./dev soak --minutes 2 --seed 7 --broker foreign" in said, bool(findings))


class RestoreTest(unittest.TestCase):
    def test_each_side_restored_meets_both_kinds_of_broker(self):
        for seed in range(20):
            cases = restore.cases(seed)
            self.assertEqual({(name, lives) for name, lives, *_ in cases},
                             {(name, lives) for name in faults.DAEMONS for lives in restore.LIVES})
            self.assertEqual({(name, broker) for name, _, broker, _ in cases},
                             {(name, broker) for name in faults.DAEMONS for broker in faults.BROKER_KINDS})
            self.assertEqual(cases, restore.cases(seed))
        self.assertEqual({loss for seed in range(20) for *_, loss in restore.cases(seed)}, set(faults.LOSSES))

    def test_a_restore_explains_a_quarrel_and_no_error(self):
        quarrel, error = "time warning: the session ends: numbers", "time error: disk"
        self.assertEqual(restore.complaints([quarrel, error], known=0), [error])
        self.assertEqual(restore.complaints([quarrel, error], known=1), [quarrel, error])  # it came before

    def test_each_finding_fails(self):
        args = types.SimpleNamespace(binary=pathlib.Path("tulpar"), loss=0, seed=1, restored="relay", lives=1)
        for came, books, findings in (((9, 0, 0), [], 0), ((9, 1, 0), [], 1), ((9, 0, 2), [], 1),
                                      ((9, 0, 0), ["books of the relay: wrong"], 1)):
            one = mock.Mock(run=lambda came=came: came, findings=lambda books=books: books)
            with mock.patch.multiple(restore, Restore=lambda *_, one=one: one, print=mock.DEFAULT, create=True,
                                     tempfile=mock.DEFAULT, pathlib=mock.DEFAULT, shutil=mock.DEFAULT), \
                    mock.patch.dict(sys.modules, {"lab.satlink": mock.MagicMock(), "proof.world": mock.Mock()}):
                told, found = restore.once(args)
            self.assertEqual(len(found), findings)
            self.assertEqual(told, f"{came[0]} taken, {came[1]} lost, {came[2]} twice")


class OthersTest(unittest.TestCase):
    def test_a_scenario_shows_its_limits(self):
        report = {"scenario": "disk", "a": 1, "b": 2, "limits": {"b": "at most 3"}, "ok": True, "failures": []}
        self.assertEqual(scenario.figures(report), ["figure a 1", "figure b 2 (limit at most 3)"])

    def test_a_million_has_its_limits(self):
        within = dict(million.LIMITS)
        self.assertEqual(million.beyond(within), [])
        for name in ("append_cpu_ratio", "pick_ratio", "most_resident_mb"):
            (found,) = million.beyond({**within, name: within[name] + 1})
            self.assertIn(name, found)

    def test_the_models_begin_with_the_seed(self):
        asked = []
        with mock.patch.object(model.subprocess, "run", lambda words, env, check: asked.append(env) or mock.Mock(
                returncode=0)), mock.patch.object(model, "print", create=True), \
                mock.patch.object(sys, "argv", ["model.py", "--seed", "41", "--seeds", "5"]):
            self.assertEqual(model.main(), 0)
        random = [env for env in asked if "TULPAR_SEEDS" in env]
        self.assertEqual(len(random), len(model.RANDOM))
        self.assertEqual({(env["TULPAR_FIRST_SEED"], env["TULPAR_SEEDS"]) for env in random}, {("41", "5")})


@unittest.skipIf(importlib.util.find_spec("paho") is None, "needs python3-paho-mqtt")
class PublisherTest(unittest.TestCase):
    def setUp(self):
        from proof import clients

        with mock.patch.object(clients._Thread, "__init__", lambda *_: None):
            self.publisher = clients.Publisher(None, "site")
        self.publisher._up, self.publisher._client = True, mock.Mock()
        self.mids = iter(range(1, 100))
        self.publisher._client.publish = lambda *_, qos: mock.Mock(rc=0, mid=next(self.mids))

    def publish(self, *messages):
        self.publisher.play([mock.Mock(topic=topic, qos=qos, at=0) for topic, qos in messages])
        self.publisher._publish_due()

    def test_a_puback_proves_what_went_before_it_on_its_connection(self):
        self.publish(("a", 0), ("b", 0), ("c", 1), ("d", 0), ("e", 1), ("f", 0))
        self.publisher._on_publish(None, None, 1)  # paho says of QoS 0 that it left: no promise
        self.assertEqual(self.publisher.acknowledged, {})
        self.publisher._on_publish(None, None, 3)
        self.assertEqual(set(self.publisher.acknowledged), {"a", "b", "c"})
        self.assertFalse(self.publisher.idle())
        self.publisher._on_publish(None, None, 5)
        self.assertEqual(set(self.publisher.acknowledged), {"a", "b", "c", "d", "e"})
        self.assertTrue(self.publisher.idle())
        self.assertEqual(set(self.publisher.handed), {"a", "b", "c", "d", "e", "f"})

    def test_a_connection_that_ends_proves_nothing(self):
        self.publish(("a", 0))
        self.publisher._forget()
        self.publisher._up, self.publisher._client = True, mock.Mock(
            publish=lambda *_, qos: mock.Mock(rc=0, mid=next(self.mids)))
        self.publish(("b", 1))
        self.publisher._on_publish(None, None, 2)
        self.assertEqual(set(self.publisher.acknowledged), {"b"})


if __name__ == "__main__":
    unittest.main()
