# Statistics are cheap: they run again whenever their code or the experiment's text changes. Snakemake looks at every input of
# every job that could start, each time that one ends: what reads all metrics waits for all claims, and then goes first.
ANALYSIS = source_id("statistics")
EXPERIMENT_SOURCES = " ".join(str(experiment.at_scale("full").num_seeds) for experiment in EXPERIMENTS if experiment.runs_at("full"))
CONTENTS = " ".join(plan.content for plan in PLANS.values())


rule runs:
    input: CLAIMS, ALL_METRICS
    output: runs=f"{RESULTS}/runs.csv", timing=f"{RESULTS}/timing.csv"
    params: results=lambda wildcards: RESULTS, code=ANALYSIS, plans=CONTENTS
    priority: 2
    log: f"{RESULTS}/logs/runs.log"
    benchmark: f"{RESULTS}/benchmarks/runs.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell: "seven-terms runs --results {params.results:q} --output {output.runs:q} 2>&1 | tee {log:q}"


rule summarize:
    input:
        plan=lambda wildcards: PLAN_FILES[wildcards.experiment],
        metrics=lambda wildcards: METRICS[wildcards.experiment],
    output: summary=f"{RESULTS}/summary/{{experiment}}.csv", claims=f"{RESULTS}/claims/{{experiment}}.csv"
    params:
        folder=lambda wildcards: FOLDER.metrics_of(wildcards.experiment),
        results=lambda wildcards: RESULTS,
        code=ANALYSIS,
        plan=lambda wildcards: PLANS[wildcards.experiment].content,
    priority: 2  # before figures: the list of runs, the verdicts and the text wait for all of them
    log: f"{RESULTS}/logs/summarize/{{experiment}}.log"
    benchmark: f"{RESULTS}/benchmarks/summarize/{{experiment}}.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell:
        "seven-terms summarize --plan {input.plan:q} --metrics {params.folder:q} --summary {output.summary:q}"
        " --claims {output.claims:q} --progress {params.results:q} 2>&1 | tee {log:q}"


rule verdicts:
    input: CLAIMS, REPLICATION
    output: verdicts=f"{RESULTS}/verdicts.csv", noise=f"{RESULTS}/noise_floor.csv"
    params:
        results=lambda wildcards: RESULTS,
        code=ANALYSIS,
        plans=CONTENTS,
        other_seeds=[f"--replication={path}" for path in REPLICATION],
    priority: 3  # W&B's runs wait for them
    log: f"{RESULTS}/logs/verdicts.log"
    benchmark: f"{RESULTS}/benchmarks/verdicts.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell: "seven-terms verdicts --results {params.results:q} --output {output.verdicts:q} {params.other_seeds:q} 2>&1 | tee {log:q}"


rule power:
    input: f"{RESULTS}/verdicts.csv"
    output: f"{RESULTS}/power.csv"
    params:
        results=lambda wildcards: RESULTS,
        experiments=SETTINGS.experiments_at(workflow.basedir),
        code=ANALYSIS,
        experiment_sources=EXPERIMENT_SOURCES,
    log: f"{RESULTS}/logs/power.log"
    benchmark: f"{RESULTS}/benchmarks/power.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell:
        "seven-terms power --results {params.results:q} --output {output:q} --experiments {params.experiments:q}"
        " 2>&1 | tee {log:q}"


rule compare:
    input: SUMMARIES, f"{RESULTS}/verdicts.csv", LITERATURE
    output: f"{RESULTS}/comparisons.csv"
    params:
        results=lambda wildcards: RESULTS,
        literature=lambda wildcards: (LITERATURE or ["none"])[0],
        code=source_id("report.comparisons"),
        plans=CONTENTS,
    log: f"{RESULTS}/logs/compare.log"
    benchmark: f"{RESULTS}/benchmarks/compare.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell: "seven-terms compare --results {params.results:q} --literature {params.literature:q} --output {output:q} 2>&1 | tee {log:q}"
