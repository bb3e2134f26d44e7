# Statistics are cheap: they run again whenever their code or the experiment's text changes.
ANALYSIS = source_id("statistics")


rule runs:
    input: ALL_METRICS, PLAN_FILES
    output: f"{RESULTS}/runs.csv"
    params: results=lambda wildcards: RESULTS, code=ANALYSIS
    log: f"{RESULTS}/logs/runs.log"
    benchmark: f"{RESULTS}/benchmarks/runs.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell: "seven-terms runs --results {params.results} --output {output} 2>&1 | tee {log}"


rule summarize:
    input:
        plan=f"{RESULTS}/plan/{{experiment}}.json",
        metrics=lambda wildcards: METRICS[wildcards.experiment],
    output: summary=f"{RESULTS}/summary/{{experiment}}.csv", claims=f"{RESULTS}/claims/{{experiment}}.csv"
    params:
        folder=lambda wildcards: f"{RESULTS}/metrics/{wildcards.experiment}",
        code=ANALYSIS,
    log: f"{RESULTS}/logs/summarize/{{experiment}}.log"
    benchmark: f"{RESULTS}/benchmarks/summarize/{{experiment}}.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell:
        "seven-terms summarize --plan {input.plan} --metrics {params.folder}"
        " --summary {output.summary} --claims {output.claims} 2>&1 | tee {log}"


rule verdicts:
    input: CLAIMS, PLAN_FILES, REPLICATION
    output: verdicts=f"{RESULTS}/verdicts.csv", noise=f"{RESULTS}/noise_floor.csv"
    params: results=lambda wildcards: RESULTS, code=ANALYSIS, other_seeds=" ".join(f"--replication {path}" for path in REPLICATION)
    log: f"{RESULTS}/logs/verdicts.log"
    benchmark: f"{RESULTS}/benchmarks/verdicts.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell: "seven-terms verdicts --results {params.results} --output {output.verdicts} {params.other_seeds} 2>&1 | tee {log}"


rule compare:
    input: ALL_METRICS, SUMMARIES, f"{RESULTS}/verdicts.csv", published=Path(workflow.basedir, "paper", "published.yaml")
    output: f"{RESULTS}/comparisons.csv"
    params: results=lambda wildcards: RESULTS, code=source_id("report.comparisons")
    log: f"{RESULTS}/logs/compare.log"
    benchmark: f"{RESULTS}/benchmarks/compare.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell: "seven-terms compare --results {params.results} --published {input.published} --output {output} 2>&1 | tee {log}"
