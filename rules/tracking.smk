# W&B is a mirror of what is there: made last, read by nothing, and left out with WANDB_MODE=disabled.
rule mirror:
    input:
        ALL_METRICS, list(PLAN_FILES.values()), [f"{RESULTS}/figures/{figure}.png" for figure in FIGURES], TABLES, REPORT[-1],
    output: f"{RESULTS}/wandb/mirror.json"
    params: results=lambda wildcards: RESULTS, runs=WANDB_RUNS, code=source_id("tracking"), plans=CONTENTS
    log: f"{RESULTS}/logs/mirror.log"
    benchmark: f"{RESULTS}/benchmarks/mirror.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell: "seven-terms mirror --results {params.results:q} --runs {params.runs} 2>&1 | tee {log:q}"
