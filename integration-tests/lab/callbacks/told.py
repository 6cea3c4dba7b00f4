"""What came of each task, one JSON object a line, as evenkeel's own events tell it."""

import json

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: told
type: stdout
short_description: outcomes as events of evenkeel
description: [Outcomes of tasks, one JSON object a line.]
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "told"

    def _tell(self, result, outcome):
        told = {
            "event": "task_finished",
            "task": result._task.get_name(),
            "host": result._host.get_name(),
            "outcome": outcome,
        }
        if outcome == "failed":
            told["error"] = {"message": str(result._result.get("msg"))}
        print(json.dumps(told), flush=True)

    def v2_runner_on_ok(self, result):
        self._tell(result, "changed" if result.is_changed() else "unchanged")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._tell(result, "failed")

    def v2_runner_on_unreachable(self, result):
        self._tell(result, "unreachable")

    def v2_runner_on_skipped(self, result):
        self._tell(result, "skipped")
