# Makes the deployed package. `sam build` runs this at the project's top, through the Makefile of the architecture.
# Two builds of the same sources give the same files, byte for byte, on any machine.

PYTHON ?= python3.13
UV ?= uv

# --require-hashes: only the files that src/requirements.txt names. Without --offline only if the cache lacks one.
INSTALL = $(UV) pip install --quiet --no-deps --require-hashes --only-binary :all: --link-mode copy \
	--python "$(PYTHON)" --python-version 3.13 --python-platform $(PLATFORM) \
	--excludes src/build/provided.txt --requirements src/requirements.txt --target "$(ARTIFACTS_DIR)"

.PHONY: build-ForwarderFunction requirements

requirements:
	@command -v "$(UV)" >/dev/null || { echo "build: uv is not on PATH: run 'make build', or install uv with 'pip install uv'" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null || { echo "build: $(PYTHON) is not Python 3.13, which compiles the bytecode: name it, as in 'make build PYTHON=/path/to/python3.13'" >&2; exit 1; }
	@$(INSTALL) --offline 2>/dev/null || $(INSTALL)

build-ForwarderFunction: requirements
	@cp -R src/kochava_forwarder "$(ARTIFACTS_DIR)"
# Every other file is the wheel's own, byte for byte. What goes is what the installer wrote: it tells of this machine.
	@cd "$(ARTIFACTS_DIR)" && rm -rf bin .lock *.dist-info/RECORD *.dist-info/INSTALLER *.dist-info/REQUESTED *.dist-info/direct_url.json *.dist-info/uv_cache.json
	@find "$(ARTIFACTS_DIR)" -name __pycache__ -prune -exec rm -rf {} +
# Lambda's code folder is read-only: what is not compiled here is compiled at every cold start. "unchecked", since
# nothing edits the sources there, and a hash instead of a time, since a time would differ from build to build.
	@"$(PYTHON)" -m compileall -q --invalidation-mode unchecked-hash -s "$(ARTIFACTS_DIR)" -p /var/task "$(ARTIFACTS_DIR)"
