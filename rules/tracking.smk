# W&B is a mirror of what is there: read by nothing, and left out with WANDB_MODE=disabled. Its many runs are written as soon
# as all claims are judged, beside figures and text; the last one holds the report. Where it fails the report stays as it is:
# mirror.json is then empty, and the next call removes it and tries again.
rule mirror_runs:
    input: ALL_METRICS, SUMMARIES, f"{RESULTS}/verdicts.csv"
    output: f"{RESULTS}/wandb/runs.json"
    params: results=lambda wildcards: RESULTS, runs=WANDB_RUNS, code=source_id("tracking"), plans=CONTENTS
    priority: 2  # the longest of what comes last
    log: f"{RESULTS}/logs/mirror_runs.log"
    benchmark: f"{RESULTS}/benchmarks/mirror_runs.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell:  # two processes in one slot: half of their time is W&B's own
        "if ! seven-terms mirror --part runs --results {params.results:q} --runs {params.runs} --jobs 2 >{log:q} 2>&1;"
        " then : >{output:q}; fi"


rule mirror:
    input:
        listed=f"{RESULTS}/wandb/runs.json",
        shown=[*(f"{RESULTS}/figures/{figure}.png" for figure in FIGURES), *TABLES, *SUMMARIES, REPORT[-1]],
    output: f"{RESULTS}/wandb/mirror.json"
    params:
        results=lambda wildcards: RESULTS, runs_log=f"{RESULTS}/logs/mirror_runs.log", code=source_id("tracking"), plans=CONTENTS
    log: f"{RESULTS}/logs/mirror.log"
    benchmark: f"{RESULTS}/benchmarks/mirror.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell:
        "cp {params.runs_log:q} {log:q} || true; if [ -s {input.listed:q} ]"
        " && seven-terms mirror --part overview --results {params.results:q} >{log:q} 2>&1; then cat {log:q};"
        " else echo \"seven-terms: the report stands, its W&B runs do not: $(tail -n 1 {log:q} | cut -c 1-600)\" >&2;"
        " : >{output:q}; fi"
