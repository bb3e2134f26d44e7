rule train:
    # No inputs and no params: a stack's name follows from its records, and it must not be trained again when another
    # selection's plan, which lies elsewhere, holds it too. Shell text starts nothing anew.
    output: ensure(f"{SHARED}/metrics/{{experiment}}/{{stack}}.parquet", non_empty=True)
    log: f"{SHARED}/logs/train/{{experiment}}/{{stack}}.log"
    benchmark: f"{SHARED}/benchmarks/train/{{experiment}}/{{stack}}.jsonl"
    threads: lambda wildcards: STACKS[wildcards.stack].num_devices
    resources:
        gpu=lambda wildcards: num_gpus(STACKS[wildcards.stack]),  # how many there are is the profile's; 0: the processor
        mem_mb=lambda wildcards: 3000 + round(workload_of(STACKS[wildcards.stack]).memory_bytes / 1e6),
    priority: lambda wildcards: expected_seconds(STACKS[wildcards.stack])  # long ones first: workers end together
    conda: "../environment.yml"
    shell:
        f"seven-terms train --plan {quote(RESULTS)}/plan/{{wildcards.experiment}}.json --stack {{wildcards.stack}}"
        f" --output {{output:q}} --state {quote(SHARED)}/state --progress {quote(RESULTS)}"
        " --accelerator ${{SEVEN_TERMS_ACCELERATOR:-$([ {resources.gpu} = 0 ] && echo cpu || echo gpu)}} 2>&1 | tee {log:q}"
