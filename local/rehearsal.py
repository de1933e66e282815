"""A rehearsal of the deployment: what Terraform made, run on this machine.

The local cloud takes its wiring from infra/functions.yaml. A rehearsal takes it from Terraform's
state instead: topics, subscriptions with their filters, notifications, the scheduler's message,
the functions' zips, sizes and environment. So what runs is what infra/ would have deployed.

    terraform -chdir=infra show -json > state.json
    python -m local.rehearsal state.json --module infra
"""

import argparse
import base64
import json
import sys
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1 import types

from local import clients
from local.background import Repeating
from local.cloud import BUCKETS, PROJECT, LocalCloud, Options
from local.commands import DEMO_DATASETS, DEMO_SECONDS, DEMO_TASKS
from local.drive import Driver
from local.notifications import STORAGE_TOPIC, WAIT_SECONDS
from local.open_buckets import open_local_buckets
from local.processes import ManagedProcess, free_port
from local.pubsub import PubSubServer
from local.table import ROOT, Schedule, Table

Values = dict[str, Any]


@dataclass(frozen=True)
class Deployment:
    """What of Terraform's state a rehearsal needs, by resource type and key.

    Attributes:
        project: The project.
        prefix: What is put before every name.
        topics: Names of the topics, dead-letter topics included.
        subscriptions: The subscriptions.
        functions: The functions, by their folder's name.
        zips: Each function's zip, below the module's folder.
        notifications: Which objects are told to which topic.
        tick: What the scheduler publishes.
    """

    project: str
    prefix: str
    topics: tuple[str, ...]
    subscriptions: tuple[Values, ...]
    functions: Mapping[str, Values]
    zips: Mapping[str, str]
    notifications: tuple[Values, ...]
    tick: Values

    @classmethod
    def read(cls, state: Mapping[str, Any]) -> "Deployment":
        """Read what `terraform show -json` says of a state."""
        found: dict[str, list[Values]] = defaultdict(list)
        for resource in state["values"]["root_module"]["resources"]:
            found[resource["type"]].append({**resource["values"], "_key": resource.get("index")})
        functions = {item["_key"]: item for item in found["google_cloudfunctions2_function"]}
        environment = service(next(iter(functions.values())))["environment_variables"]
        return cls(
            project=environment["TUNEDROP_PROJECT"],
            prefix=environment["TUNEDROP_TOPIC_PREFIX"],
            topics=tuple(item["name"] for item in found["google_pubsub_topic"]),
            subscriptions=tuple(found["google_pubsub_subscription"]),
            functions=functions,
            zips={
                item["_key"]: item["source"]
                for item in found["google_storage_bucket_object"]
                if item["_key"] in functions
            },
            notifications=tuple(found["google_storage_notification"]),
            tick=found["google_cloud_scheduler_job"][0]["pubsub_target"][0],
        )


def service(function: Values) -> Values:
    """Return the part of a function that says how it runs."""
    config: Values = function["service_config"][0]
    return config


def bare(name: str) -> str:
    """Return the last part of a resource's full name."""
    return name.rpartition("/")[2]


class Rehearsal(LocalCloud):
    """A local cloud that is wired by Terraform's state.

    Args:
        folder: Where its state is kept, below .state/.
        deployment: What Terraform made.
        module: The folder that Terraform ran in; the zips are below it.
        options: How it behaves.
    """

    def __init__(
        self, folder: Path, deployment: Deployment, module: Path, options: Options | None = None
    ) -> None:
        super().__init__(folder, options)
        self.deployment = deployment
        self._module = module

    def bucket_names(self) -> dict[str, str]:
        """Which bucket has which name, as the functions are told."""
        environment = service(next(iter(self.deployment.functions.values())))
        told = environment["environment_variables"]
        return {bucket: told[f"TUNEDROP_{bucket.upper()}_BUCKET"] for bucket in BUCKETS}

    def waiting(self) -> dict[str, int]:
        """Count the unacknowledged messages of each subscription, without the prefix."""
        prefix = self.deployment.prefix
        return {name.removeprefix(prefix): count for name, count in super().waiting().items()}

    def _start(self) -> None:
        self.state.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        self._pubsub = self._stack.enter_context(PubSubServer())
        ports = {name: free_port() for name in ("storage", "vertex")}
        self.environment = {
            **self._environment(ports),
            "TUNEDROP_PROJECT": self.deployment.project,
            "TUNEDROP_TOPIC_PREFIX": self.deployment.prefix,
        }
        self.clients = self._stack.enter_context(
            clients.Clients(self.environment, self.deployment.project)
        )
        self._create_topics()
        self.clients.subscribe(STORAGE_TOPIC, STORAGE_TOPIC)
        self._run(self._storage(ports["storage"])).wait_until_up()
        vertex = self._run(self._vertex(ports["vertex"]))
        self.clients.create_buckets(self.bucket_names())
        for name in self.deployment.functions:
            self.functions[name] = self._run(self._function(name))
        for process in (vertex, *self.functions.values()):
            process.wait_until_up()
        self._create_subscriptions()
        self._stack.enter_context(Repeating("notifications", 0.0, self._forward))
        self._stack.enter_context(Repeating("scheduler", self.options.tick_seconds, self._tick))
        self._stack.enter_context(Repeating("supervisor", 0.2, self._supervise))

    def _create_topics(self) -> None:
        """Create the topics by their own names: a table without functions adds none."""
        none = Schedule(topic="", cron="")
        topics = (*self.deployment.topics, STORAGE_TOPIC)
        self.clients.create_topics(
            Table(runtime="", topics=topics, notifications={}, schedule=none, functions={})
        )

    def _create_subscriptions(self) -> None:
        """Create the subscriptions; each pushes to the process that stands for its endpoint."""
        address = {
            service(item)["uri"]: f"http://127.0.0.1:{self.functions[name].port}"
            for name, item in self.deployment.functions.items()
        }
        least, most = (_duration(seconds) for seconds in self.options.backoff_seconds)
        for item in self.deployment.subscriptions:
            request = types.Subscription(
                name=self.clients.subscription(item["name"]),
                topic=item["topic"],
                filter=item.get("filter") or "",
                ack_deadline_seconds=item["ack_deadline_seconds"],
            )
            if item["push_config"]:
                request.push_config = types.PushConfig(
                    push_endpoint=address[item["push_config"][0]["push_endpoint"]]
                )
                request.retry_policy = types.RetryPolicy(
                    minimum_backoff=least, maximum_backoff=most
                )
            for policy in item["dead_letter_policy"]:
                request.dead_letter_policy = types.DeadLetterPolicy(
                    dead_letter_topic=policy["dead_letter_topic"],
                    max_delivery_attempts=policy["max_delivery_attempts"],
                )
            self.clients.subscriber.create_subscription(request=request)

    def _storage(self, port: int) -> ManagedProcess:
        process = super()._storage(port)
        project = self.deployment.project
        process.command = [project if item == PROJECT else item for item in process.command]
        return process

    def _function(self, name: str) -> ManagedProcess:
        """A function under functions-framework, from the zip that would have been deployed."""
        function = self.deployment.functions[name]
        config = service(function)
        bundle = self.state / "bundles" / name
        with zipfile.ZipFile(self._module / self.deployment.zips[name]) as archive:
            archive.extractall(bundle)
        port = free_port()
        environment = {
            **config["environment_variables"],
            **{key: value for key, value in self.environment.items() if _is_of_this_machine(key)},
            "CLOUD_RUN_TIMEOUT_SECONDS": str(config["timeout_seconds"]),
            "K_SERVICE": function["name"],
        }
        command = [sys.executable, "-m", "functions_framework"]
        command += ["--source", str(bundle / "main.py")]
        command += ["--target", function["build_config"][0]["entry_point"]]
        command += ["--signature-type", "http", "--host", "127.0.0.1", "--port", str(port)]
        return ManagedProcess(name, command, environment, self.log(name), port, bundle)

    def _forward(self) -> None:
        """Tell topics of new objects, as the buckets' notifications say."""
        self.clients.receive(STORAGE_TOPIC, WAIT_SECONDS, self._hand_on)

    def _hand_on(self, message: types.PubsubMessage) -> None:
        attributes = dict(message.attributes)
        for item in self.deployment.notifications:
            if (
                item["bucket"] == attributes.get("bucketId")
                and attributes.get("eventType") in item["event_types"]
                and attributes.get("objectId", "").startswith(item["object_name_prefix"] or "")
            ):
                data = b"" if item["payload_format"] == "NONE" else message.data
                self.clients.publish_bytes(bare(item["topic"]), data, attributes)

    def _tick(self) -> None:
        """Publish what the scheduler would, unless the last tick is still being worked on."""
        topic, data = bare(self.deployment.tick["topic_name"]), self.deployment.tick["data"]
        names = [bare(item["name"]) for item in self.deployment.subscriptions
                 if bare(item["topic"]) == topic]  # fmt: skip
        waiting = super().waiting()
        if not any(waiting.get(name) for name in names):
            self.clients.publish_bytes(topic, base64.b64decode(data), {})


def run_demo(cloud: LocalCloud) -> list[dict[str, Any]]:
    """Take the three example tasks from labelled file to answers; return their summaries.

    Raises:
        NothingArrived: Something did not come.
    """
    addresses = cloud.environment["STORAGE_EMULATOR_HOST"], cloud.environment["TUNEDROP_PROJECT"]
    driver = Driver(cloud, open_local_buckets(*addresses, cloud.bucket_names()))
    folders = {task: ROOT / "examples" / task for task in DEMO_TASKS}
    uploads = {
        task: driver.upload_dataset(task, folders[task] / file, folders[task] / "task.yaml")
        for task, file in zip(DEMO_TASKS, DEMO_DATASETS, strict=True)
    }
    for task, upload in uploads.items():
        driver.wait_for_verdict(task, upload, DEMO_SECONDS)
    documents = {
        task: driver.upload_documents(task, folders[task] / "documents") for task in DEMO_TASKS
    }
    for task, uploaded in documents.items():
        driver.wait_for_answers(task, uploaded, DEMO_SECONDS)
    return [driver.summarize(task) for task in DEMO_TASKS]


def main(arguments: list[str] | None = None) -> int:
    """Rehearse a deployment with the demo, and say what came out."""
    parser = argparse.ArgumentParser(
        prog="python -m local.rehearsal",
        description="Run the demo on this machine, wired by Terraform's state.",
    )
    parser.add_argument("state", type=Path, help="what `terraform show -json` printed")
    parser.add_argument(
        "--module", type=Path, default=ROOT / "infra", help="where Terraform ran (default: infra)"
    )
    options = parser.parse_args(arguments)
    deployment = Deployment.read(json.loads(options.state.read_text(encoding="utf-8")))
    with (
        tempfile.TemporaryDirectory(prefix="tunedrop-") as folder,
        Rehearsal(Path(folder), deployment, options.module) as cloud,
    ):
        for task in run_demo(cloud):
            name, decision = task["task"]["name"], task["verdict"]["decision"]
            print(f"{name}: {decision}, {len(task['documents'])} documents answered")
    return 0


def _is_of_this_machine(variable: str) -> bool:
    """Whether a variable is about where things are here, not about what was deployed."""
    ours = {"TUNEDROP_CLOUD", "TUNEDROP_VERTEX_ENDPOINT", "TUNEDROP_LEASE_SECONDS",
            "TUNEDROP_REVIVE_AFTER_SECONDS"}  # fmt: skip
    return variable in ours or not variable.startswith("TUNEDROP_")


def _duration(seconds: float) -> Duration:
    return Duration(seconds=int(seconds), nanos=round(1e9 * (seconds % 1)))


if __name__ == "__main__":
    sys.exit(main())
