rule train:
    input: ancient(f"{RESULTS}/plan/{{experiment}}.json")  # of no importance: a stack's name follows from its records
    output: ensure(f"{RESULTS}/metrics/{{experiment}}/{{stack}}.parquet", non_empty=True)
    params: besides=lambda wildcards, output: f"--state {RESULTS}/state --progress {RESULTS}"
    log: f"{RESULTS}/logs/train/{{experiment}}/{{stack}}.log"
    benchmark: f"{RESULTS}/benchmarks/train/{{experiment}}/{{stack}}.jsonl"
    threads: lambda wildcards: STACKS[wildcards.stack].num_devices
    resources:
        gpu=lambda wildcards: num_gpus(STACKS[wildcards.stack]),  # how many there are is the profile's; 0: the processor
        mem_mb=lambda wildcards: 3000 + round(workload_of(STACKS[wildcards.stack]).memory_bytes / 1e6),
    priority: lambda wildcards: expected_seconds(STACKS[wildcards.stack])  # long ones first: workers end together
    conda: "../environment.yml"
    shell:
        "seven-terms train --plan {input} --stack {wildcards.stack} --output {output} {params.besides}"
        " --accelerator ${{SEVEN_TERMS_ACCELERATOR:-$([ {resources.gpu} = 0 ] && echo cpu || echo gpu)}} 2>&1 | tee {log}"
