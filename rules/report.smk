DRAWING = source_id("figures")


rule figure:
    input: plan=f"{RESULTS}/plan/{{experiment}}.json", summary=f"{RESULTS}/summary/{{experiment}}.csv"
    output:
        pdf=f"{RESULTS}/figures/{{experiment}}/{{figure}}.pdf",
        png=report(f"{RESULTS}/figures/{{experiment}}/{{figure}}.png", caption="captions/figure.rst",
            category=lambda wildcards: wildcards.experiment.split("/")[0],
            labels={"experiment": "{experiment}", "figure": "{figure}"}),
    params:
        caption=lambda wildcards: FIGURES[f"{wildcards.experiment}/{wildcards.figure}"].caption,
        code=DRAWING,
    log: f"{RESULTS}/logs/figure/{{experiment}}/{{figure}}.log"
    benchmark: f"{RESULTS}/benchmarks/figure/{{experiment}}/{{figure}}.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell: "seven-terms figure --plan {input.plan} --summary {input.summary} --name {wildcards.figure} --output {output.pdf} 2>&1 | tee {log}"


rule summary_page:
    input: SUMMARIES, PLAN_FILES
    output:
        pdf=f"{RESULTS}/figures/summary.pdf",
        png=report(f"{RESULTS}/figures/summary.png", caption="captions/summary.rst", category="summary"),
    params: results=lambda wildcards: RESULTS, code=DRAWING
    log: f"{RESULTS}/logs/summary_page.log"
    benchmark: f"{RESULTS}/benchmarks/summary_page.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell: "seven-terms summary-page --results {params.results} --output {output.pdf} 2>&1 | tee {log}"


rule speed:
    input: lambda wildcards: SPEED[wildcards.speed]
    output:
        pdf=f"{RESULTS}/figures/speed/{{speed}}.pdf",
        png=report(f"{RESULTS}/figures/speed/{{speed}}.png", caption="captions/speed.rst", category="speed"),
    params: code=DRAWING
    log: f"{RESULTS}/logs/speed/{{speed}}.log"
    benchmark: f"{RESULTS}/benchmarks/speed/{{speed}}.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell: "seven-terms speed-figure --table {input} --output {output.pdf} 2>&1 | tee {log}"


rule tex:
    input:
        PAPER, SUMMARIES, f"{RESULTS}/figures/summary.pdf", [f"{RESULTS}/figures/{figure}.pdf" for figure in FIGURES],
        [*SPEED.values(), *(f"{RESULTS}/figures/speed/{name}.pdf" for name in SPEED)],
        sorted(str(path) for path in Path(BESIDE).glob("*.csv")),
        tables=[f"{RESULTS}/{table}.csv" for table in ("plan/experiments", "runs", "verdicts", "noise_floor", "comparisons")],
    output: f"{RESULTS}/report/main.tex"
    params:
        results=lambda wildcards: RESULTS,
        paper=Path(workflow.basedir, "paper"),
        beside=lambda wildcards: BESIDE,
        code=source_id("report"),
    log: f"{RESULTS}/logs/tex.log"
    benchmark: f"{RESULTS}/benchmarks/tex.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell:
        "seven-terms report --results {params.results} --paper {params.paper} --beside {params.beside}"
        " --output $(dirname {output}) 2>&1 | tee {log}"


rule pdf:
    input: f"{RESULTS}/report/main.tex"
    output: report(f"{RESULTS}/seven-terms.pdf", caption="captions/paper.rst", category="report")
    params: latex=lambda wildcards: LATEX
    log: f"{RESULTS}/logs/pdf.log"
    benchmark: f"{RESULTS}/benchmarks/pdf.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell:
        "({params.latex} {input} && cp $(dirname {input})/main.pdf {output}) > {log} 2>&1"
        " || {{ tail -n 30 {log}; exit 1; }}"
