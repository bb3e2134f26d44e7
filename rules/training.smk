rule train:
    # No inputs: a stack's name follows from its records, which the plan file of this call's selection holds.
    output: ensure(f"{SHARED}/metrics/{{experiment}}/{{stack}}.parquet", non_empty=True)
    params:
        plan=lambda wildcards: FOLDER.plan(wildcards.experiment),
        state=lambda wildcards: FOLDER.shared / "state",
        results=lambda wildcards: RESULTS,
    log: f"{SHARED}/logs/train/{{experiment}}/{{stack}}.log"
    benchmark: f"{SHARED}/benchmarks/train/{{experiment}}/{{stack}}.jsonl"
    threads: lambda wildcards: STACKS[wildcards.stack].num_devices
    resources:
        gpu=lambda wildcards: num_gpus(STACKS[wildcards.stack]),  # how many there are is the profile's; 0: the processor
        mem_mb=lambda wildcards: 3000 + round(workload_of(STACKS[wildcards.stack]).memory_bytes / 1e6),
    priority: lambda wildcards: expected_seconds(STACKS[wildcards.stack])  # long ones first: workers end together
    conda: "../environment.yml"
    shell:
        "seven-terms train --plan {params.plan:q} --stack {wildcards.stack} --output {output:q}"
        " --state {params.state:q} --progress {params.results:q}"
        " --accelerator ${{SEVEN_TERMS_ACCELERATOR:-$([ {resources.gpu} = 0 ] && echo cpu || echo gpu)}} 2>&1 | tee {log:q}"
