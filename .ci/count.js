// Adds up what the runs of all kinds reported: node .ci/count.js STATUS_OF_NPM_TEST STATUS_OF_TRAINING (75: not run).
import { existsSync, readFileSync } from "node:fs"

const [app, training] = process.argv.slice(2).map(Number)
let [passed, failed] = [0, 0]
const add = (good, bad) => {
  passed += good
  failed += bad
}
const read = (name) => (existsSync(`test-results/${name}`) ? readFileSync(`test-results/${name}`, "utf8") : undefined)

const unit = read("unit.json")
if (unit) {
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(unit)
  // A file that could not be loaded has no tests to fail.
  const broken = testResults.filter(
    (f) => f.status === "failed" && f.assertionResults.every((t) => t.status !== "failed"),
  )
  add(numPassedTests, numFailedTests + broken.length)
}
const specs = read("e2e.json")
if (specs) {
  const { stats, errors } = JSON.parse(specs)
  add(stats.expected, stats.unexpected + stats.flaky + errors.length)
}
const python = read("training.xml")
if (python) {
  const [suite = ""] = /<testsuite .*?>/.exec(python) ?? []
  const count = (name) => Number(new RegExp(` ${name}="(\\d+)"`).exec(suite)?.[1])
  const bad = count("failures") + count("errors")
  add(count("tests") - count("skipped") - bad, bad)
}
// What ends a run before its tests, such as types and lint, is one failure.
if (app !== 0 && failed === 0) failed++
if (training === 75)
  console.log("The training code was NOT tested: it needs Python 3.11 or later with venv, and PyTorch from PyPI.")
else if (training !== 0 && !/(failures|errors)="[1-9]/.test(python ?? "")) failed++
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed ? 1 : 0
