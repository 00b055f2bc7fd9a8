"""Processes that are killed, that meet each other, and that lack what they do not need."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from prefect.settings import PREFECT_API_URL

from cole_core.language_models import specify
from flows.pipelines.from_benchmark import from_benchmark
from flows.pipelines.request import RunRequest
from flows.resolve.requests import AskedEmbeddings
from flows.stages.embed import EmbedRequest, embed
from tests.flows.conftest import SPACE, Small
from warehouse import Warehouse

# Small shards and a pause after each, so that a kill falls between two commits.
SLOW_EMBED = """
import sys, time
from pathlib import Path
from flows.resolve.requests import AskedEmbeddings
from flows.stages import embed as embedding
from warehouse.writer import Writer
embedding.SHARD = 8
home, pause = Path(sys.argv[1]), float(sys.argv[2])
add = Writer.add_embeddings
def slow(self, *arguments):
    added = add(self, *arguments)
    print("committed", flush=True)
    time.sleep(pause)
    return added
Writer.add_embeddings = slow
options = AskedEmbeddings(pooling="mean", precision="fp32")
asked = embedding.EmbedRequest(space="nasbench201", home=home, options=options)
print(embedding.embed(asked))
"""

WITHOUT_TRANSFORMERS = """
import sys
sys.modules["transformers"] = None  # importing it is an error from here on
from pathlib import Path
from cole_core.encodings.vectors import Vectors
from flows.resolve.requests import Measured
from flows.stages.fit_heads import FitHeadsRequest, fit_heads
from flows.stages.search import SearchRequest, search
chosen = {
    "space": "nasbench201",
    "home": Path(sys.argv[1]),
    "measured": Measured(dataset="cifar10"),
    "vectors": Vectors(precision="fp32"),
}
fit_heads(FitHeadsRequest(**chosen, sizes=(20,), draws=1))
search(SearchRequest(**chosen, budget=12))
"""


def start(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PREFECT_API_URL": PREFECT_API_URL.value() or ""},  # starts no server
        start_new_session=True,
    )


def stored_hashes(home: Path, spec_id: str) -> list[str]:
    return Warehouse(home).vectors.keys(spec_id)["text_hash"].to_list()


def test_killed_during_embed_then_run_again(small: Small) -> None:
    spec_id = specify("minilm", pooling="mean", precision="fp32").spec_id
    process = start(SLOW_EMBED, small.home, 30)
    assert process.stdout is not None
    while "committed" not in (line := process.stdout.readline()):
        assert line, "ended before it committed"
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    survived = len(stored_hashes(small.home, spec_id))
    texts = small.warehouse.texts(SPACE, "code.bare", "none").height
    assert 0 < survived < texts

    options = AskedEmbeddings(pooling="mean", precision="fp32")
    summary = embed(EmbedRequest(space="nasbench201", home=small.home, options=options))
    assert summary["embedded"] == texts - survived
    hashes = stored_hashes(small.home, spec_id)
    assert len(hashes) == len(set(hashes)) == texts


def test_two_at_once_one_waits(small: Small) -> None:
    spec_id = specify("minilm", pooling="mean", precision="fp32").spec_id
    first, second = start(SLOW_EMBED, small.home, 0.5), start(SLOW_EMBED, small.home, 0.5)
    outputs = [process.communicate(timeout=300)[0] for process in (first, second)]
    assert first.returncode == second.returncode == 0, outputs
    texts = small.warehouse.texts(SPACE, "code.bare", "none").height
    embedded = sorted(int(output.split("'embedded': ")[1].split(",")[0]) for output in outputs)
    assert embedded == [0, texts]
    hashes = stored_hashes(small.home, spec_id)
    assert len(hashes) == len(set(hashes)) == texts


def test_train_and_search_need_no_language_model(small: Small) -> None:
    process = start(WITHOUT_TRANSFORMERS, small.home)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    assert small.warehouse.status()["searches"] == 1


def test_a_flow_runs_against_a_server_that_is_configured(small: Small, tmp_path: Path) -> None:
    """`PREFECT_API_URL` set: the run is recorded there under the id that the catalog keeps."""
    import httpx

    environment = os.environ | {"PREFECT_HOME": str(tmp_path / "prefect")}
    environment.pop("PREFECT_API_URL", None)
    environment.pop("PREFECT_API_DATABASE_CONNECTION_URL", None)
    environment.pop("PREFECT_SERVER_DATABASE_CONNECTION_URL", None)
    port = 18_000 + os.getpid() % 1000
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "prefect",
            "server",
            "start",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
        ],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}/api"
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                if httpx.get(f"{url}/health").status_code == 200:
                    break
            except httpx.TransportError:
                assert time.monotonic() < deadline, "the server did not start"
                time.sleep(0.5)
        subprocess.run(
            [
                sys.executable,
                "-m",
                "flows.cli",
                "render",
                "nasbench201",
                "--home",
                small.home,
                "--encoding",
                "arch_str",
            ],
            env=environment | {"PREFECT_API_URL": url},
            check=True,
        )
        run_id = small.warehouse.recent_runs(1)["run_id"][0]
        assert httpx.get(f"{url}/flow_runs/{run_id}").json()["state"]["type"] == "COMPLETED"
    finally:
        server.terminate()
        server.wait()


@pytest.mark.slow
@pytest.mark.usefixtures("prefect_server")
def test_the_whole_pipeline_is_a_no_op_the_second_time(tmp_path: Path) -> None:
    request = RunRequest(space="nasbench201", home=tmp_path / "home")
    first = from_benchmark(request)
    assert first["embed"]["embedded"] == 4930
    second = from_benchmark(request)
    for stage, done in (
        ("enumerate", "architectures"),
        ("render", "renderings"),
        ("embed", "embedded"),
        ("ingest", "evaluations"),
        ("train", "trials"),
        ("search (bananas)", "evaluations"),
        ("search (random_search)", "evaluations"),
    ):
        assert second[stage][done] == 0
    status = Warehouse(tmp_path / "home").status()
    assert status["spaces"]["nasbench201"] == {"architectures": 15_625, "canonical": 5_260}
    joined = Warehouse(tmp_path / "home").sql(
        """
        SELECT count(*) AS rows FROM evaluations
        JOIN renderings USING (architecture_id)
        JOIN embeddings_minilm_avg_avg_bf16 USING (text_hash)
        """
    )
    assert joined["rows"][0] == 78_125
