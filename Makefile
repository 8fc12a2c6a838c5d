# Everything a person or a machine does with galvo, by name. `make help` lists it.

CARGO ?= cargo
DEMO  := assets/demo.ogg

# cargo-nextest where it is installed (one process a test, so that an abort fails alone), else cargo test.
NEXTEST := $(shell command -v cargo-nextest 2>/dev/null)
ifneq ($(NEXTEST),)
  RUN_TESTS = $(CARGO) nextest run --locked
else
  RUN_TESTS = $(CARGO) test --locked --lib --bins --tests
endif

.DEFAULT_GOAL := help
.PHONY: help deps udev run test check-format lint unit doc-tests docs headless loom fuzz soak safety-soak bench bench-peers fmt screenshots gallery demo sync-check window-check eval analysis-pictures cases

help:          ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

deps:          ## install the system packages that are missing (Debian and its kin)
	@scripts/deps.sh

udev:          ## let whoever sits at the machine use USB projectors (Linux; as root: sudo make udev)
	install -m 644 assets/70-galvo-lasers.rules /etc/udev/rules.d/70-galvo-lasers.rules
	udevadm control --reload
	udevadm trigger --subsystem-match=usb

run: deps      ## play the demo: in the window where there is a display, with a status line elsewhere
	$(CARGO) run --locked --release -- play $(DEMO)

test: deps check-format lint unit doc-tests docs headless loom  ## everything that checks the project

check-format:
	$(CARGO) fmt --check

lint:          ## clippy, warnings are errors
	$(CARGO) clippy --locked --all-targets -- -D warnings

unit:          ## all tests but those in the documentation
	$(RUN_TESTS)

doc-tests:
	$(CARGO) test --locked --doc

docs:          ## the documentation of the library, warnings are errors
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps

headless:      ## the build without window, sound card and USB, in a target folder of its own
	$(CARGO) clippy --locked --no-default-features --lib --bins --target-dir target/headless -- -D warnings

loom:          ## every order of execution of the hand-overs between threads (its own package)
	cd tests/loom && $(CARGO) test --locked

FUZZ_SECONDS ?= 60

fuzz:          ## each fuzz target for FUZZ_SECONDS (needs cargo-fuzz)
	for target in $$($(CARGO) fuzz list); do \
	  RUSTC_BOOTSTRAP=1 nice -n 19 $(CARGO) fuzz run $$target -- -max_total_time=$(FUZZ_SECONDS) || exit 1; \
	done

soak:          ## long runs: not part of `make test`
	$(CARGO) test --locked --release --test it -- --ignored soak

cases:         ## inputs that were once judged wrong: what is said of each now, and what is right
	$(CARGO) test --locked --test it cases:: -- --nocapture --test-threads 1

SAFETY_CASES ?= 10000

# nextest runs the drivers side by side and tells what each one printed.
ifneq ($(NEXTEST),)
  SAFETY_SOAK = $(CARGO) nextest run --locked --profile soak --test it --success-output final -E 'test(/^safety_on_devices::random_shows::/)'
else
  SAFETY_SOAK = $(CARGO) test --locked --test it -- --nocapture safety_on_devices::random_shows
endif

safety-soak:   ## SAFETY_CASES random shows on every driver, judged by every rule
	SAFETY_CASES=$(SAFETY_CASES) nice -n 15 $(SAFETY_SOAK)

sync-check:    ## light against sound on a real sound server (needs pulseaudio; a private one is started)
	tests/external/sync_check.sh native

eval:          ## how well it hears: beats, onsets, tempo on pieces of which all is known, beside aubio where installed
	$(CARGO) run --locked --release --example eval

analysis-pictures:  ## draw the pictures of docs/analysis.md anew
	$(CARGO) run --locked --release --example analysis_pictures

bench:         ## every benchmark, release build
	$(CARGO) bench --locked $(patsubst benches/%.rs,--bench %,$(wildcard benches/*.rs))

bench-peers:   ## other crates of the field beside galvo, in one run
	cd benches/peers && $(CARGO) run --locked --release && $(CARGO) run --locked --release --bin path && $(CARGO) run --locked --release --bin media

fmt:           ## put the sources in their format
	$(CARGO) fmt

window-check:  ## work the real window on a display of its own (needs xvfb and xdotool)
	$(CARGO) build --locked --bin galvo
	tests/external/window.sh

screenshots:   ## take the pictures of docs/images anew, from the real window
	$(CARGO) build --locked --release
	scripts/screenshots.sh $${CARGO_TARGET_DIR:-target}/release/galvo

gallery:       ## draw every preset as a simulated beam: docs/gallery.md and its pictures
	$(CARGO) run --locked --release --example gallery -- docs

demo:          ## synthesise the demo track anew (needs oggenc, from vorbis-tools)
	$(CARGO) run --locked --release --example make_demo_track -- target/demo.wav assets/demo.beats.txt
	oggenc --quiet -q 4 -s 1 -o assets/demo.ogg target/demo.wav
