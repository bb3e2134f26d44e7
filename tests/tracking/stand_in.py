"""A stand-in for the W&B service on loopback: it speaks as much of the protocol as wandb's client needs here, and no more.

It is not W&B: it checks no permissions, draws nothing, and keeps what it is sent in memory for the tests to look at. It
says so in the name of its user.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NOW = "2026-01-01T00:00:00"
USER = "stand-in-not-the-service"
KEY = "5ec2e7" + "ab" * 17  # the key that it accepts; no key of anybody's


@dataclass
class StandIn:
    """What was sent: runs by name, lines of each run's history, views (workspaces and reports), artifacts, files."""

    url: str = ""
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    history: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    finished: dict[str, int] = field(default_factory=dict)
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    artifacts: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    operations: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    failing: int = 0  # so many uploads of runs are refused first

    def answer(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Return the data of a GraphQL request."""
        found = re.search(r"(?:query|mutation)\s+(\w+)", query)
        operation = found.group(1) if found else query[:40]
        self.operations.append(operation)
        handler = getattr(self, f"_{operation}", None) or getattr(self, f"_{operation[0].lower()}{operation[1:]}", None)
        if handler is None:
            self.unknown.append(f"{operation}: {query[:2000]} {json.dumps(variables)[:300]}")
            return {}
        return handler(variables)

    def _Viewer(self, variables: dict[str, Any]) -> dict[str, Any]:
        teams = {"edges": [{"node": {"name": USER, "id": "t"}}]}
        return {"viewer": {"id": "VXNlcjox", "entity": USER, "username": USER, "email": "", "flags": "{}", "teams": teams,
                           "name": USER, "admin": False, "deletedAt": None, "apiKeys": {"edges": []}}}  # fmt: skip

    _GetViewer = _GetDefaultEntity = _Viewer

    def _ServerFeaturesQuery(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"serverInfo": {"features": []}}

    def _RunResumeStatus(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"model": {"name": variables["project"], "entity": {"name": USER}, "bucket": None}}

    def _UpsertBucket(self, variables: dict[str, Any]) -> dict[str, Any]:
        name = variables["name"]
        known = self.runs.setdefault(name, {})
        inserted = not known
        known.update({key: value for key, value in variables.items() if value is not None})
        project = {
            "id": "UHJvamVjdDox",
            "name": variables.get("project"),
            "entity": {"id": "RW50aXR5OjE=", "name": USER},
        }
        bucket = {"id": f"run-{name}", "name": name, "displayName": known.get("displayName"), "description": "",
                  "config": known.get("config", "{}"), "sweepName": None, "project": project}  # fmt: skip
        return {"upsertBucket": {"bucket": bucket, "inserted": inserted}}

    def _CreateRunFiles(self, variables: dict[str, Any]) -> dict[str, Any]:
        run, names = variables["run"], variables["files"]
        files = [{"name": name, "uploadUrl": f"{self.url}/storage/{run}/{name}"} for name in names]
        return {"createRunFiles": {"runID": f"run-{run}", "uploadHeaders": [], "files": files}}

    def _MarkRunFilesUploaded(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"markRunFilesUploaded": {"success": True}}

    def _CreateArtifact(self, variables: dict[str, Any]) -> dict[str, Any]:
        given = variables["input"]
        number = f"artifact-{len(self.artifacts)}"
        self.artifacts[number] = {**given, "files": []}
        sequence = {"id": "s", "name": given.get("artifactCollectionName"), "latestArtifact": None}
        artifact = {"id": number, "state": "PENDING", "artifactSequence": sequence, "versionIndex": 0}
        return {"createArtifact": {"artifact": artifact}}

    def _CreateArtifactManifest(self, variables: dict[str, Any]) -> dict[str, Any]:
        url = f"{self.url}/storage/{variables['artifactID']}/{variables['name']}"
        file = {
            "id": "f",
            "name": variables["name"],
            "displayName": variables["name"],
            "uploadUrl": url,
            "uploadHeaders": [],
        }
        return {"createArtifactManifest": {"artifactManifest": {"id": "m", "file": file}}}

    def _CreateArtifactFiles(self, variables: dict[str, Any]) -> dict[str, Any]:
        edges = []
        for given in (variables.get("input") or variables)["artifactFiles"]:
            number, name = given["artifactID"], given["name"]
            self.artifacts[number]["files"].append(name)
            url = f"{self.url}/storage/{number}/{name}"
            node = {"id": "f", "name": name, "displayName": name, "uploadUrl": url, "uploadHeaders": [], "storagePath": name,
                    "uploadMultipartUrls": None, "artifact": {"id": number}}  # fmt: skip
            edges.append({"node": node})
        return {"createArtifactFiles": {"files": {"edges": edges}}}

    def _CommitArtifact(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"commitArtifact": {"artifact": {"id": variables["artifactID"], "digest": ""}}}

    def _upsertView(self, variables: dict[str, Any]) -> dict[str, Any]:
        known = base64.b64decode(variables.get("id") or "").decode().removeprefix("View:")
        name = known or variables.get("name") or f"view{len(self.views)}"
        self.views[name] = variables
        view = {"id": base64.b64encode(f"View:{name}".encode()).decode(), "name": name, "type": variables.get("type"),
                "displayName": variables.get("displayName"), "description": variables.get("description"),
                "project": {"id": "p", "name": variables.get("projectName"), "entityName": USER}, "spec": variables.get("spec"),
                "user": {"id": "u", "name": USER, "username": USER}, "updatedAt": NOW, "createdAt": NOW,
                "previewUrl": None, "viewCount": 0}  # fmt: skip
        return {"upsertView": {"view": view, "inserted": True}}

    _UpsertView2 = _upsertView

    def _View(self, variables: dict[str, Any]) -> dict[str, Any]:
        found = self.views.get(variables.get("viewName", ""))
        nodes = [{"node": {"id": "v", "name": variables["viewName"], **found}}] if found else []
        return {"project": {"allViews": {"edges": nodes}}}

    def _ProjectInternalId(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"project": {"internalId": base64.b64encode(b"ProjectInternalId:1").decode()}}

    def _GetProjects(self, variables: dict[str, Any]) -> dict[str, Any]:
        names = sorted({run["project"] for run in self.runs.values()})
        user = self._Viewer({})["viewer"]
        plain = {"id": "p", "entityName": USER, "createdAt": NOW, "isBenchmark": False, "user": user}
        nodes = [{"node": {**plain, "name": name}, "cursor": name} for name in names]
        return {"models": {"edges": nodes, "pageInfo": {"endCursor": None, "hasNextPage": False}}}

    def _UpsertModel(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {
            "upsertModel": {
                "model": {"name": "", "description": ""},
                "project": {"id": "p", "name": ""},
                "inserted": True,
            }
        }

    def stream(self, run: str, sent: dict[str, Any]) -> None:
        """Take a part of a run's file stream."""
        lines = sent.get("files", {}).get("wandb-history.jsonl", {}).get("content", [])
        self.history.setdefault(run, []).extend(json.loads(line) for line in lines)
        summary = sent.get("files", {}).get("wandb-summary.json", {}).get("content", [])
        if summary:
            self.runs[run]["summary"] = json.loads(summary[-1])
        if sent.get("complete"):
            self.finished[run] = sent.get("exitcode", 0)


@contextmanager
def stand_in() -> Iterator[StandIn]:
    """Run a stand-in on a free port of loopback."""
    server = StandIn()
    listening = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    server.url = f"http://127.0.0.1:{listening.server_address[1]}"
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()


def _body(request: BaseHTTPRequestHandler) -> bytes:
    if "chunked" in request.headers.get("Transfer-Encoding", ""):
        data = b""
        while size := int(request.rfile.readline(), 16):
            data += request.rfile.read(size)
            request.rfile.readline()
        request.rfile.readline()
    else:
        data = request.rfile.read(int(request.headers.get("Content-Length") or 0))
    return gzip.decompress(data) if request.headers.get("Content-Encoding") == "gzip" else data


def _handler(server: StandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing."""

        def _reply(self, content: Any, *, status: int = 200) -> None:
            data = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except ConnectionError:  # the client is gone
                self.close_connection = True

        def do_GET(self) -> None:
            name = self.path.removeprefix("/storage/")
            self._reply({"stand-in": USER}, status=200 if name in server.files or self.path == "/" else 404)

        def do_PUT(self) -> None:
            server.files[self.path.removeprefix("/storage/")] = _body(self)
            self._reply({})

        def do_POST(self) -> None:
            body = _body(self)
            user, _, key = (
                base64.b64decode(self.headers.get("Authorization", "Basic ").split(" ")[-1]).decode().partition(":")
            )
            if user != "api" or key != KEY:
                self._reply({"errors": [{"message": "invalid API key"}]}, status=401)
            elif self.path == "/graphql":
                sent = json.loads(body)
                if server.failing and "UpsertBucket" in sent["query"]:
                    server.failing -= 1
                    self._reply({"errors": [{"message": "the stand-in refuses"}]}, status=400)
                else:
                    self._reply({"data": server.answer(sent["query"], sent.get("variables") or {})})
            elif found := re.fullmatch(r"/files/[^/]+/[^/]+/([^/]+)/file_stream", self.path):
                server.stream(found.group(1), json.loads(body))
                self._reply({})
            else:
                server.unknown.append(self.path)
                self._reply({}, status=404)

    return Handler
