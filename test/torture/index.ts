import { writeFileSync } from "node:fs"
import { cpus, loadavg, platform } from "node:os"
import { join } from "node:path"
import { damagedCache, diskFaults, manyItems } from "./disk.ts"
import { hostileFiles } from "./files.ts"
import { appKills, engineKills } from "./kills.ts"
import { messages } from "./messages.ts"
import type { Found, Part } from "./part.ts"
import { Random } from "./random.ts"

/**
 * `npm run torture -- [minutes] [seed]`: kills, disk faults, hostile files and messages, for ten minutes where nothing else
 * is said, and docs/reliability.md of what came of it. Exit code 1 where something that must not be was seen.
 */
const minutes = Number(process.argv[2] ?? 10)
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31)
if (!(minutes > 0) || !Number.isInteger(seed)) throw new Error("npm run torture -- [minutes] [seed]")

/** Parts with their shares of the time. */
const PARTS: [part: Part, share: number][] = [
  [manyItems, 0],
  [appKills, 0.22],
  [engineKills, 0.15],
  [damagedCache, 0.08],
  [diskFaults, 0.1],
  [messages, 0.1],
  [hostileFiles, 0.35],
]

const began = Date.now()
const found: (Found & { seconds: number })[] = []
for (const [part, share] of PARTS) {
  const start = Date.now()
  const one = await part(new Random(seed), start + share * minutes * 60_000)
  const seconds = (Date.now() - start) / 1000
  found.push({ ...one, seconds })
  process.stdout.write(`${one.count} ${one.what}: ${one.details} (${Math.round(seconds)} s)\n`)
  for (const fault of new Set(one.faults)) process.stdout.write(`  FAULT ${fault}\n`)
}

const faults = found.flatMap(({ what, faults }) => [...new Set(faults)].map((fault) => `${what}: ${fault}`))
const cell = (text: string) => text.replaceAll("|", "\\|")
const rows = found.map(
  ({ what, count, details, faults, seconds }) =>
    `| ${what} | ${count.toLocaleString("en")} | ${cell(details)} | ${new Set(faults).size} | ${Math.round(seconds)} s |`,
)
const page = `# Reliability

Written by \`npm run torture -- ${minutes}\` (seed ${seed}) on ${new Date(began).toISOString().slice(0, 10)}, in ${((Date.now() - began) / 60_000).toFixed(1)} minutes, on ${cpus().length} × ${cpus()[0]?.model.trim() ?? "unknown"}, ${platform()}, Node ${process.versions.node}; load at its end ${loadavg()[0]?.toFixed(1)}. The script lies in test/torture; longer runs find more.

What must never be: the app ends or stands still for 10 s, a file takes more than 1 GB or 35 s, what was shown 1.5 s before a kill is not on the disk, bits do not lie beside their bytes, something is written outside of the app's folders, a refusal is not one sentence.

| What is done | How often | What came of it | Faults | Time |
| --- | --: | --- | --: | --: |
${rows.join("\n")}

${faults.length ? `## Faults\n\n${faults.map((fault) => `- ${fault.slice(0, 400)}`).join("\n")}` : "No faults were seen."}

The goal is 100 kills of each kind and 20,000 hostile files in one run; the numbers above say how far this one came.
`
writeFileSync(join(import.meta.dirname, "../../docs/reliability.md"), page)
process.exit(faults.length ? 1 : 0)
