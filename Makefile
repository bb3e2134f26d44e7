# Everything a reader types. The work itself is in setup/ (environment), Snakefile (pipeline) and tests/.
SCALE ?= laptop
BASE_SEED ?= 0
ONLY ?=
CORES ?= all
EXPERIMENTS ?= experiments
BENCH ?=
BUDGET ?= 25m
STRESS ?=
HASHES ?=
# A file of tests stays in one worker: its tests share what they train.
PYTEST = python -m pytest -n auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder
WANDB_MODE ?= offline
# 3.14 comes last of the four: one pinned package has no wheel for it yet and would need a C compiler.
PYTHON ?= $(shell for p in python3.12 python3.13 python3.11 python3.14 python3; do \
    command -v $$p >/dev/null 2>&1 && $$p -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
    2>/dev/null && echo $$p && exit; done; command -v python3)
OWN = $(filter-out experiments experiments/,$(EXPERIMENTS))# a folder of experiments beside the suite, with its own results
RESULTS = $(if $(OWN),$(EXPERIMENTS)/results,results)/$(SCALE)$(if $(filter-out 0,$(BASE_SEED)),-seed$(BASE_SEED))
CHOSEN = $(if $(strip $(ONLY)),--only '$(strip $(ONLY))')
GIVEN_SCALE = $(if $(filter default file,$(origin SCALE)),,$(SCALE))
REPORTED = $(or $(GIVEN_SCALE),full)# the scale that the published paper speaks of: REPORTED in src/seven_terms/spec/scales.py
DIGITS = 0 1 2 3 4 5 6 7 8 9
LETTERS = a b c d e f g h i j k l m n o p q r s t u v w x y z _ $(DIGITS)
# $(call without,TEXT,WORDS): the text with every one of these words taken out; empty if it consists of nothing else.
without = $(strip $(if $(2),$(call without,$(subst $(firstword $(2)),,$(1)),$(wordlist 2,$(words $(2)),$(2))),$(1)))
QUOTE := '
SPEED = $(if $(filter full paper,$(SCALE)),results/calibration-cpu.json)# forecasts use this machine's own speed
BIN = $(CURDIR)/.venv/bin
OUTDATED_MAKE = $(filter 0.% 1.% 2.% 3.0% 3.1% 3.2% 3.3% 3.4% 3.5% 3.6% 3.7% 3.80%,$(MAKE_VERSION))
# With other make variables (SHELL, VIRTUAL_ENV, PYTHONPATH) of the caller the numbers must be the same.
export PATH := $(BIN):$(PATH)
export WANDB_MODE
export OMP_NUM_THREADS = 1
unexport PYTHONPATH PYTHONHOME

ifneq ($(OUTDATED_MAKE),)
$(error make must be 3.81 or newer, got $(MAKE_VERSION); install a newer one, e.g. `apt-get install make`)
endif
LOWER = $(strip $(foreach name,scale only base_seed cores,$(if $(filter command,$(firstword $(origin $(name)))),$(name))))
ifneq ($(LOWER),)
$(error settings are written in capitals, got $(firstword $(LOWER))=; try `make report SCALE=smoke`)
endif
# What is typed stands in shell lines below, so each setting holds what it may hold and nothing else.
ifneq ($(words $(SCALE)) $(filter-out smoke laptop full paper,$(SCALE)),1 )
$(error SCALE must be smoke, laptop, full or paper, got '$(SCALE)'; try `make report SCALE=laptop`)
endif
ifneq ($(call without,$(ONLY),$(LETTERS) /),)
$(error ONLY must be terms or <term>/<name> of experiments, got '$(ONLY)'; try `make report ONLY="batch_norm lr_decay/step_drop"`)
endif
ifneq ($(words $(BASE_SEED))$(call without,$(BASE_SEED),$(DIGITS)),1)
$(error BASE_SEED must be a whole number, got '$(BASE_SEED)'; try `make report BASE_SEED=1000`)
endif
ifneq ($(words $(CORES))$(call without,$(filter-out all,$(CORES)),$(DIGITS)),1)
$(error CORES must be all or a whole number, got '$(CORES)'; try `make report CORES=2`)
endif
ifneq ($(words $(WANDB_MODE)) $(filter-out offline online disabled,$(WANDB_MODE)),1 )
$(error WANDB_MODE must be offline, online or disabled, got '$(WANDB_MODE)'; try `make report WANDB_MODE=offline`)
endif
ifneq ($(call without,$(BENCH),$(LETTERS) - = . ,),)
$(error BENCH must be options of `python -m bench --help`, got '$(BENCH)'; try `make bench BENCH=--quick`)
endif
ifneq ($(call without,$(STRESS),$(LETTERS) - = . /),)
$(error STRESS must be options of `python -m tests.stress --help`, got '$(STRESS)'; try `make stress STRESS="bits --minutes=2"`)
endif
ifneq ($(filter-out yes cpu,$(HASHES)),)
$(error HASHES must be yes or cpu, got '$(HASHES)'; try `make environment HASHES=yes`)
endif
ifneq ($(words $(BUDGET))$(call without,$(BUDGET),$(DIGITS) . s m h),1)
$(error BUDGET must be a number with s, m or h, got '$(BUDGET)'; try `make paper-rows BUDGET=25m`)
endif
ifneq ($(findstring $(QUOTE),$(EXPERIMENTS))$(filter-out 1,$(words $(EXPERIMENTS))),)
$(error EXPERIMENTS must be one folder without spaces and quotation marks, got '$(EXPERIMENTS)'; try `make report EXPERIMENTS=../mine`)
endif
ifneq ($(findstring $(QUOTE),$(PYTHON)),)
$(error PYTHON must be the name or path of a Python without quotation marks, got $(PYTHON))
endif

ifneq ($(call without,$(if $(filter command,$(firstword $(origin TERM))),$(TERM)),$(LETTERS) /),)
$(error TERM must be a term, or <term>/<name> of an experiment, got '$(TERM)'; try `make browse TERM=batch_norm`)
endif
# TERM=batch_norm is a term of ours only where it is typed after make; otherwise it is the kind of terminal.
NARROWED = $(if $(filter command,$(firstword $(origin TERM))),--term '$(strip $(TERM))')

.DEFAULT_GOAL := help
.PHONY: help report paper paper-rows docs arxiv agree test test-slow stress check browse publish-wandb verify bench clean environment latex compiler browser tmux places

help: ## show this list
	@echo 'Seven Terms: seven words of machine learning, measured. Targets:'
	@sed -n 's/^\([a-z-]*\):.*## /  make \1|/p' Makefile | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'
	@echo 'Settings: SCALE=smoke|laptop|full|paper ONLY="batch_norm lr_decay/step_drop" BASE_SEED=0 CORES=all'
	@echo '          EXPERIMENTS=path/to/mine PYTHON=python3.12 WANDB_MODE=offline|online|disabled'

report: places environment latex compiler $(SPEED) ## train, judge, draw and write the report: results/<scale>/seven-terms.pdf
	@start=$$(date +%s) && \
	snakemake --cores $(CORES) --quiet rules progress reason host \
	  --config scale=$(SCALE) base_seed=$(BASE_SEED) $(if $(strip $(ONLY)),only='$(strip $(ONLY))') \
	  $(if $(OWN),experiments='$(EXPERIMENTS)') && \
	seven-terms show --results $(RESULTS) $(CHOSEN) && \
	seven-terms timing --results $(RESULTS) $(CHOSEN) --since $$start
	@$(if $(filter online,$(WANDB_MODE)),seven-terms publish --wandb --results $(RESULTS) $(CHOSEN) || echo 'seven-terms: the report is done; its W&B runs are not uploaded.' >&2)

test: environment latex compiler browser tmux ## run the tests
	@$(PYTEST) -m 'not slow'

test-slow: environment latex compiler browser tmux ## run the tests that need minutes or daemons too
	@$(PYTEST)

stress: environment latex compiler ## attack it for half an hour: kills, flipped bits, full disks, damage, bad specs (docs/reliability.md)
	@python -m tests.stress $(STRESS)

check: environment latex compiler browser tmux ## format, lint, types and tests, as before a commit
	ruff format --check
	ruff check
	pyright
	@sh setup/audit.sh
	@$(MAKE) --no-print-directory docs
	$(PYTEST) -m 'not slow'

docs: environment ## build the documentation: results/site/index.html
	@sh setup/docs.sh
	@NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet && echo 'seven-terms: the documentation is results/site/index.html'

paper-rows: environment latex compiler results/calibration-cpu.json ## run and publish what fits of scale paper into BUDGET=25m
	@rows=$$(seven-terms plan --scale paper --budget '$(BUDGET)') && \
	$(MAKE) --no-print-directory report SCALE=paper ONLY="$$rows" && \
	seven-terms publish --results results/paper --only $$rows

paper: environment latex ## build paper, supplement and page from the published tables of scale full (or SCALE), without training
	@seven-terms paper --published results/published/$(REPORTED) --beside results/published \
	  --output results/$(REPORTED)-published

arxiv: paper ## results/arxiv.tar.gz: the paper's sources, which compile in an empty folder
	@sh setup/arxiv.sh results/$(REPORTED)-published results/arxiv.tar.gz

agree: environment ## did your results agree with the published ones? Claim by claim; fails where one moved or flipped
	@seven-terms agree --results $(RESULTS) --other results/published/$(SCALE)

browse: environment ## look at the W&B runs of results/<scale> in the terminal (ONLY=, or TERM=batch_norm: of one term)
	@$(if $(NARROWED),TERM=xterm-256color )seven-terms browse --results '$(RESULTS)' $(CHOSEN) $(NARROWED)

publish-wandb: environment ## upload those W&B runs to your account, with a workspace and a report
	@seven-terms publish --wandb --results '$(RESULTS)' $(CHOSEN)

verify: ## compare results/published with its checksums
	@test -f results/published/SHA256SUMS || { echo 'seven-terms: results/published holds no SHA256SUMS, nothing to verify.'; exit 0; }; \
	cd results/published && $$(command -v sha256sum || echo shasum -a 256) --check --quiet SHA256SUMS && echo 'seven-terms: results/published agrees with its checksums.'

bench: environment compiler ## measure speed beside the usual ways to run the same grid (BENCH=--quick: a short form)
	@sh setup/bench.sh
	@python -m bench $(BENCH)

clean: ## delete what the pipeline made, with SCALE=... of one scale; results/published and .venv stay
	@YES='$(filter 1,$(YES))' sh setup/clean.sh $(GIVEN_SCALE)

results/calibration-cpu.json: | environment compiler
	@echo 'seven-terms: measuring how fast this machine is (once; about a minute)'
	@seven-terms calibrate

environment: # .venv as in requirements.lock
	@HASHES='$(strip $(HASHES))' sh setup/environment.sh '$(PYTHON)'

latex: # pdflatex and latexmk, where they can be installed without a question
	@sh setup/latex.sh

places: # home and temporary folder, which must be writable
	@sh setup/places.sh

tmux: # for a test alone, where it can be installed without a question
	@sh setup/tmux.sh

browser: # Chromium, in which tests open the page, where it can be installed without a question
	@sh setup/browser.sh

compiler: # a C++ compiler, where it can be installed without a question
	@sh setup/compiler.sh
