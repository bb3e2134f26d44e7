DRAWING = source_id("figures")


rule figure:
    input: plan=lambda wildcards: PLAN_FILES[wildcards.experiment], summary=f"{RESULTS}/summary/{{experiment}}.csv"
    output:
        pdf=f"{RESULTS}/figures/{{experiment}}/{{figure}}.pdf",
        png=report(f"{RESULTS}/figures/{{experiment}}/{{figure}}.png", caption="captions/figure.rst",
            category=lambda wildcards: wildcards.experiment.split("/")[0],
            labels={"experiment": "{experiment}", "figure": "{figure}"}),
    params:
        caption=lambda wildcards: FIGURES[f"{wildcards.experiment}/{wildcards.figure}"].caption,
        plan=lambda wildcards: PLANS[wildcards.experiment].content,
        results=lambda wildcards: RESULTS,
        code=DRAWING,
    priority: 1  # before stacks of less than a second: little is left to draw after the last one
    log: f"{RESULTS}/logs/figure/{{experiment}}/{{figure}}.log"
    benchmark: f"{RESULTS}/benchmarks/figure/{{experiment}}/{{figure}}.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell:
        "seven-terms figure --plan {input.plan:q} --summary {input.summary:q} --name {wildcards.figure}"
        " --output {output.pdf:q} --progress {params.results:q} 2>&1 | tee {log:q}"


rule key_figure:
    input: plan=lambda wildcards: PLAN_FILES[wildcards.experiment], summary=f"{RESULTS}/summary/{{experiment}}.csv"
    output: pdf=f"{RESULTS}/figures/{{experiment}}/key.pdf", png=f"{RESULTS}/figures/{{experiment}}/key.png"
    params: plan=lambda wildcards: PLANS[wildcards.experiment].content, code=DRAWING
    priority: 1
    log: f"{RESULTS}/logs/figure/{{experiment}}/key.log"
    benchmark: f"{RESULTS}/benchmarks/figure/{{experiment}}/key.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell:
        "seven-terms key-figure --plan {input.plan:q} --summary {input.summary:q} --output {output.pdf:q} 2>&1 | tee {log:q}"


rule summary_page:
    input: SUMMARIES, Path(workflow.basedir, "paper", "answers.yaml")
    output:
        pdf=f"{RESULTS}/figures/summary.pdf",
        png=report(f"{RESULTS}/figures/summary.png", caption="captions/summary.rst", category="summary"),
    params: results=lambda wildcards: RESULTS, paper=lambda wildcards: PAPER_FOLDER, code=DRAWING, plans=CONTENTS
    log: f"{RESULTS}/logs/summary_page.log"
    benchmark: f"{RESULTS}/benchmarks/summary_page.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell: 
        "seven-terms summary-page --results {params.results:q} --paper {params.paper:q} --output {output.pdf:q} 2>&1 | tee {log:q}"


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
    shell: "seven-terms speed-figure --table {input:q} --output {output.pdf:q} 2>&1 | tee {log:q}"


rule tex:
    input:
        PAPER, SUMMARIES, PICTURES, list(SPEED.values()),
        BESIDE_TABLES,
        TABLES, [str(path) for path in [FOLDER.table("plan/experiments")] if path.is_file()],
    output: f"{RESULTS}/report/main.tex"
    params:
        results=lambda wildcards: RESULTS,
        sources=Path(workflow.basedir, "paper"),
        paper=lambda wildcards: PAPER_FOLDER,
        beside=lambda wildcards: BESIDE,
        code=source_id("report"),
        plans=CONTENTS,
        folder=lambda wildcards: FOLDER.tex.parent,
    log: f"{RESULTS}/logs/tex.log"
    benchmark: f"{RESULTS}/benchmarks/tex.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell:
        "seven-terms report --results {params.results:q} --paper {params.paper:q} --sources {params.sources:q} --beside {params.beside:q}"
        " --output {params.folder:q} 2>&1 | tee {log:q}"


rule pdf:
    input: f"{RESULTS}/report/main.tex"
    output: report(f"{RESULTS}/seven-terms.pdf", caption="captions/paper.rst", category="report")
    params: code=source_id("running.typesetting")
    log: f"{RESULTS}/logs/pdf.log"
    benchmark: f"{RESULTS}/benchmarks/pdf.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell: "seven-terms typeset --tex {input:q} --output {output:q} 2>&1 | tee {log:q}"


rule supplement:
    input: f"{RESULTS}/report/main.tex"
    output: f"{RESULTS}/seven-terms-supplement.pdf"
    params: tex=f"{RESULTS}/report/supplement.tex", code=source_id("running.typesetting")
    log: f"{RESULTS}/logs/supplement.log"
    benchmark: f"{RESULTS}/benchmarks/supplement.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell: "seven-terms typeset --tex {params.tex:q} --output {output:q} 2>&1 | tee {log:q}"


rule page:
    input:
        PAPER, SUMMARIES, PICTURES,
        BESIDE_TABLES,
        TABLES, [str(path) for path in [FOLDER.table("plan/experiments")] if path.is_file()],
    output: f"{RESULTS}/index.html"
    params:
        results=lambda wildcards: RESULTS,
        paper=lambda wildcards: PAPER_FOLDER,
        beside=lambda wildcards: BESIDE,
        code=source_id("report.page"),
        plans=CONTENTS,
    log: f"{RESULTS}/logs/page.log"
    benchmark: f"{RESULTS}/benchmarks/page.jsonl"
    conda: "../environment.yml"
    localrule: True
    shell:
        "seven-terms page --results {params.results:q} --paper {params.paper:q} --beside {params.beside:q}"
        " --output {output:q} 2>&1 | tee {log:q}"
