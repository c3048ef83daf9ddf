"""Which workers an environment describes."""

import json

import pytest

from mltrain.errors import UsageError
from mltrain.workers.cluster import VARIABLE, Cluster, described


def test_a_process_is_alone_where_nothing_is_said():
    assert described({}) is None


def test_the_launcher_is_understood():
    cluster = Cluster(1, ("127.0.0.1:5", "127.0.0.1:6"), "secret", "--workers 2", on_machine=2, place=1)
    assert described({VARIABLE: cluster.as_text()}) == cluster


@pytest.mark.parametrize(
    ("addresses", "hosts", "by_files"),
    [(("/tmp/0.socket", "/tmp/1.socket"), 1, True), (("a:1", "a:2"), 1, False), (("a:1", "b:1"), 2, False)],
)
def test_how_many_machines_there_are_and_how_they_meet(addresses, hosts, by_files):
    cluster = Cluster(0, addresses, "secret", "a test")
    assert (cluster.hosts, cluster.by_files) == (hosts, by_files)


@pytest.mark.parametrize(
    ("kind", "index", "rank"), [("chief", 0, 0), ("worker", 0, 1), ("worker", 1, 2)], ids=["chief", "first", "second"]
)
def test_tf_config(kind, index, rank):
    cluster = {"worker": ["b:2", "c:3"], "chief": ["a:1"]}
    found = described({"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})})
    assert (found.rank, found.addresses, found.on_machine) == (rank, ("a:1", "b:2", "c:3"), 1)


def test_two_workers_on_a_machine_share_its_cores():
    config = {"cluster": {"worker": ["a:1", "a:2", "b:1"]}, "task": {"type": "worker", "index": 1}}
    assert described({"TF_CONFIG": json.dumps(config)}).on_machine == 2


@pytest.mark.parametrize("config", [{}, {"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}])
def test_a_tf_config_of_one_is_nobody(config):
    assert described({"TF_CONFIG": json.dumps(config)}) is None


def test_each_worker_knows_its_place_on_its_machine():
    workers = ["a:1", "b:1", "a:2", "b:2", "a:3"]
    places = []
    for index in range(5):
        config = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
        found = described({"TF_CONFIG": json.dumps(config)})
        places.append((found.place, found.on_machine))
    assert places == [(0, 3), (0, 2), (1, 3), (1, 2), (2, 3)]


def test_a_step_of_slurm():
    step = {
        "SLURM_STEP_NUM_TASKS": "7",
        "SLURM_STEP_NODELIST": "gpu[08-10],login2",
        "SLURM_STEP_TASKS_PER_NODE": "2(x3),1",
        "SLURM_PROCID": "3",
        "SLURM_JOB_ID": "123456",
    }
    found = described(step)
    hosts = ["gpu08", "gpu08", "gpu09", "gpu09", "gpu10", "gpu10", "login2"]
    ports = [23456, 23457] * 3 + [23456]
    assert found.addresses == tuple(f"{host}:{port}" for host, port in zip(hosts, ports, strict=True))
    assert (found.rank, found.on_machine, found.place, found.source) == (3, 2, 1, "SLURM")
    assert described({**step, "MLTRAIN_PORT": "5000"}).addresses[1] == "gpu08:5001"


def test_a_job_of_slurm_outside_of_a_step_trains_alone():
    # A batch script with several tasks that calls mltrain without srun.
    assert described({"SLURM_NTASKS": "4", "SLURM_PROCID": "0", "SLURM_JOB_NODELIST": "gpu[1-4]"}) is None


def test_an_indexed_job_of_kubernetes():
    pod = {"JOB_COMPLETION_INDEX": "2", "HOSTNAME": "digits-run-2", "MLTRAIN_PODS": "3", "MLTRAIN_SERVICE": "workers"}
    found = described(pod)
    assert found.addresses == tuple(f"digits-run-{number}.workers:23456" for number in range(3))
    assert found.rank == 2
    # A job whose pods do different things says nothing of workers.
    assert described({"JOB_COMPLETION_INDEX": "2", "HOSTNAME": "digits-run-2"}) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "it is not JSON"),
        (
            '{"cluster": {"worker": ["a:1", "b"]}, "task": {"type": "worker", "index": 0}}',
            "host:port for each worker, found 'b'",
        ),
        (
            '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 2}}',
            "an index below 2, found 2",
        ),
        ('{"cluster": {"worker": ["a:1", "b:2"]}}', "'task' is missing"),
    ],
)
def test_what_is_wrong_is_said(text, said):
    with pytest.raises(UsageError, match=said) as error:
        described({"TF_CONFIG": text})
    assert "Error" not in str(error.value)


@pytest.mark.parametrize(
    "environment",
    [
        {"TF_CONFIG": "{"},
        {"TF_CONFIG": json.dumps({"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 2}})},
        {"TF_CONFIG": json.dumps({"cluster": {"worker": ["a:1"], "ps": ["b:2"]}, "task": {"type": "ps", "index": 0}})},
        {"SLURM_STEP_NUM_TASKS": "2", "SLURM_STEP_NODELIST": "a", "SLURM_STEP_TASKS_PER_NODE": "1"},
        {"JOB_COMPLETION_INDEX": "0", "MLTRAIN_PODS": "2", "HOSTNAME": "a-0"},
        {"JOB_COMPLETION_INDEX": "0", "MLTRAIN_PODS": "2", "HOSTNAME": "a-1", "MLTRAIN_SERVICE": "s"},
        {VARIABLE: "{}"},
    ],
)
def test_what_describes_no_workers_is_refused(environment):
    with pytest.raises(UsageError, match="unset it to train alone"):
        described(environment)
