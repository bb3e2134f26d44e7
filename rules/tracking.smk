# W&B is a mirror of what is there: made last, read by nothing, and left out with WANDB_MODE=disabled. Where it fails the
# report stays as it is: mirror.json is then empty, and the next call removes it and tries again.
rule mirror:
    input:
        ALL_METRICS, [f"{RESULTS}/figures/{figure}.png" for figure in FIGURES], TABLES, SUMMARIES, REPORT[-1],
    output: f"{RESULTS}/wandb/mirror.json"
    params: results=lambda wildcards: RESULTS, runs=WANDB_RUNS, code=source_id("tracking"), plans=CONTENTS
    log: f"{RESULTS}/logs/mirror.log"
    benchmark: f"{RESULTS}/benchmarks/mirror.jsonl"
    threads: 2
    conda: "../environment.yml"
    localrule: True
    shell:
        "if seven-terms mirror --results {params.results:q} --runs {params.runs} --jobs {threads} >{log:q} 2>&1; then cat {log:q};"
        " else echo \"seven-terms: the report stands, its W&B runs do not: $(tail -n 1 {log:q} | cut -c 1-600)\" >&2;"
        " : >{output:q}; fi"
