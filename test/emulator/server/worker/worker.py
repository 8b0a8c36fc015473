"""A worker in Python that uses only the standard library.

It speaks to the platform as the official worker does: its settings come from the environment, results are JSON with the
content type of a form, a thread of its own sends the pings, and a stop signal of the platform stops a job.
"""

import http.client
import json
import os
import threading
import time
import traceback
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

WORKER = os.environ["RUNPOD_POD_ID"]
KEY = os.environ["RUNPOD_AI_API_KEY"]
TAKE = os.environ["RUNPOD_WEBHOOK_GET_JOB"].replace("$ID", WORKER)
DONE = os.environ["RUNPOD_WEBHOOK_POST_OUTPUT"].replace("$RUNPOD_POD_ID", WORKER)
STREAM = os.environ["RUNPOD_WEBHOOK_POST_STREAM"].replace("$RUNPOD_POD_ID", WORKER)
PING = os.environ["RUNPOD_WEBHOOK_PING"].replace("$RUNPOD_POD_ID", WORKER)
INTERVAL = int(os.environ["RUNPOD_PING_INTERVAL"]) / 1000
CONCURRENCY = int(os.environ.get("CONCURRENCY", "1"))
AGGREGATE = os.environ.get("AGGREGATE") == "1"

running = {}  # job id -> event that is set when the job shall stop
runs = {}  # job id -> how often this worker has run the job


def say(*words):
    print(*words, flush=True)


def call(url, body=None, job_id=None):
    headers = {"Authorization": KEY}
    if job_id:
        headers["X-Request-ID"] = job_id
    data = None
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        headers["charset"] = "utf-8"
        data = json.dumps(body, ensure_ascii=False).encode()
    try:
        with urlopen(Request(url, data, headers), timeout=90) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def post(template, job_id, flags, body):
    status, _ = call(template.replace("$ID", job_id) + flags, body, job_id)
    return status


def forever(step):
    while True:
        try:
            step()
        except (URLError, OSError, http.client.HTTPException):
            os._exit(0)  # the platform is gone


def ping():
    ids = ",".join(running)
    call(PING + (f"&job_id={ids}" if ids else "") + "&runpod_version=1.8.2")
    time.sleep(INTERVAL)


def listen():
    status, text = call(TAKE.replace("/job-take/", "/job-stop/"))
    if status == 200:
        for job_id in json.loads(text)["jobsToStop"]:
            if job_id in running:
                running[job_id].set()


def take():
    needed = CONCURRENCY - len(running)
    if needed <= 0:
        time.sleep(0.01)
        return
    url = TAKE if needed == 1 else TAKE.replace("/job-take/", "/job-take-batch/") + f"&batch_size={needed}"
    status, text = call(url + f"&job_in_progress={1 if running else 0}")
    if status != 200:
        return
    jobs = json.loads(text)
    for job in jobs if isinstance(jobs, list) else [jobs]:
        if "id" not in job or "input" not in job:
            say("missing", job.get("id"))
            continue
        running[job["id"]] = threading.Event()
        say("took", job["id"])
        threading.Thread(target=work, args=(job,), daemon=True).start()


def work(job):
    job_id = job["id"]
    try:
        run(job, running[job_id])
    finally:
        del running[job_id]


def run(job, stopped):
    job_id, given = job["id"], job["input"]
    runs[job_id] = runs.get(job_id, 0) + 1
    result, is_stream = {}, False
    try:
        if "count" in given:
            is_stream = True
            result = {"output": []}
            for number in range(given["count"]):
                if number == given.get("fail_at"):
                    result = {"error": "handler: no more \ntraceback: none"}
                    break
                chunk = {"number": number, "word": "wörd"}
                if AGGREGATE:
                    result["output"].append(chunk)
                post(STREAM, job_id, "&isStream=false", {"output": chunk})
                time.sleep(given.get("pause", 0))
        elif "sleep" in given:
            seconds = given["sleep"]  # or a list, with the seconds of each run
            if stopped.wait(seconds[runs[job_id] - 1] if isinstance(seconds, list) else seconds):
                say("stopped", job_id)
                return
            result = {"output": "slept"}
        elif "progress" in given:
            for update in given["progress"]:
                post(DONE, job_id, "&isStream=false", {"status": "IN_PROGRESS", "output": update})
                stopped.wait(given.get("pause", 0))
            result = {"output": "progressed"}
        elif "die" in given:
            os._exit(1)
        elif "error" in given:
            result = {"error": given["error"], "output": {"code": 7}}
        elif "raise" in given:
            raise ValueError(given["raise"])
        else:
            result = {"output": {"echo": given, "pid": os.getpid()}}
        if given.get("refresh"):
            result["stopPod"] = True
    except Exception as error:
        info = {
            "error_type": str(type(error)),
            "error_message": str(error),
            "error_traceback": traceback.format_exc(),
            "hostname": os.environ.get("RUNPOD_POD_HOSTNAME", "unknown"),
            "worker_id": WORKER,
            "runpod_version": "1.8.2",
        }
        result = {"error": json.dumps(info)}
    status = post(DONE, job_id, f"&isStream={'true' if is_stream else 'false'}", result)
    say("done", job_id, status)


for loop in (ping, listen):
    threading.Thread(target=forever, args=(loop,), daemon=True).start()
say("ready")
forever(take)
