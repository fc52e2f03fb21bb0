import { writeFileSync } from "node:fs"
import { cpus } from "node:os"
import { join } from "node:path"
import { defaultSampling } from "../contract/sampling.ts"
import { Decoder } from "../main/engine/decode/decoder.ts"
import { Model } from "../main/engine/decode/model.ts"
import { scoreBytes } from "../main/engine/decode/score.ts"
import { apart, partArguments } from "./apart.ts"
import { fill, PERFORMANCE, table } from "./page.ts"
import { benchPack, cache } from "./random-pack.ts"
import { anyPrompt, processorMs } from "./timing.ts"

/**
 * `npm run bench -- --long [PACK] [--bytes N] [--largest N] [--minutes M]`: a million bytes in one sequence. Decodes N bytes
 * (1,048,576) of a pack and tells memory and time along the way; then scores files of 16 KiB up to `--largest` (1,048,576) in
 * one go, with a context as long as they are, beside a plain transformer over bytes as far as M minutes (5) a length allow.
 * Writes its section of docs/performance.md, and long.svg beside it. Each part runs in a process of its own on one thread,
 * and is told in processor time.
 */
const KIB = 1024
const MIB = 2 ** 20
/** Patches that are timed in turn at the end of what is written. */
const IN_TURN = 400

type Written = { marks: { at: number; ms: number; mb: number }[]; end: number; fresh: number }
type Scored = { bytes: number; seconds: number; mb: number }

/** Milliseconds of a patch, the mean of `patches`. */
async function msOfPatch(decoder: Decoder, patches: number): Promise<number> {
  const began = processorMs()
  for (let i = 0; i < patches; i++) await decoder.step(defaultSampling, 1)
  return (processorMs() - began) / patches
}

/**
 * Writes `bytes` and tells, sixteen times on the way, the time of a patch and what is resident; at the end it goes on in turn
 * with a sequence that has just filled its window, so that a slower minute falls on both.
 */
async function write(name: string, bytes: number): Promise<Written> {
  const model = Model.load(benchPack(name), "int8", 1, cache)
  const { patch, context } = model.config
  const { decoder } = await Decoder.start(model, new Uint8Array(), 1)
  const marks: Written["marks"] = []
  const each = bytes / 16
  for (let at = each; at <= bytes; at += each) {
    const ms = await msOfPatch(decoder, each / patch)
    marks.push({ at, ms, mb: process.memoryUsage.rss() / MIB })
    process.stderr.write(`${name}: ${JSON.stringify(marks.at(-1))}\n`)
  }
  const { decoder: fresh } = await Decoder.start(model, decoder.history(0).slice(-context * patch), 1)
  const times = { end: 0, fresh: 0 }
  for (let i = 0; i < IN_TURN; i += 20) {
    times.end += await msOfPatch(decoder, 20)
    times.fresh += await msOfPatch(fresh, 20)
  }
  return { marks, end: (20 * times.end) / IN_TURN, fresh: (20 * times.fresh) / IN_TURN }
}

/** Scores `bytes` in one go. */
async function score(name: string, bytes: number): Promise<Scored> {
  const model = Model.load(benchPack(name), "int8", 1, cache)
  await scoreBytes(model, anyPrompt(KIB)) // loads the graph
  const began = processorMs()
  await scoreBytes(model, anyPrompt(bytes))
  return { bytes, seconds: (processorMs() - began) / 1000, mb: process.resourceUsage().maxRSS / KIB }
}

/** A series' name with its slope, where two points make one. */
const withSlope = (name: string, points: Scored[]) =>
  points.length > 1 ? `${name}: slope ${slope(points).toFixed(2)}` : name

/** Slope of log seconds against log bytes, by least squares. */
function slope(points: Scored[]): number {
  const xy = points.map(({ bytes, seconds }) => [Math.log(bytes), Math.log(seconds)] as const)
  const mean = (i: 0 | 1) => xy.reduce((sum, p) => sum + p[i], 0) / xy.length
  const [mx, my] = [mean(0), mean(1)]
  return xy.reduce((s, [x, y]) => s + (x - mx) * (y - my), 0) / xy.reduce((s, [x]) => s + (x - mx) ** 2, 0)
}

/** Seconds against bytes, both logarithmic, a line for each series. */
function plot(series: { name: string; color: string; points: Scored[] }[]): string {
  const all = series.flatMap(({ points }) => points)
  const span = (values: number[]) =>
    [Math.floor(Math.log2(Math.min(...values))), Math.ceil(Math.log2(Math.max(...values)))] as const
  const [x0, x1] = span(all.map((p) => p.bytes))
  const [y0, y1] = span(all.map((p) => p.seconds))
  const x = (bytes: number) => 60 + (520 * (Math.log2(bytes) - x0)) / (x1 - x0)
  const y = (seconds: number) => 330 - (290 * (Math.log2(seconds) - y0)) / (y1 - y0)
  const text = (at: [number, number], words: string, anchor = "middle") =>
    `<text x="${at[0].toFixed(0)}" y="${at[1].toFixed(0)}" text-anchor="${anchor}">${words}</text>`
  const ticks = Array.from({ length: x1 - x0 + 1 }, (_, i) => 2 ** (x0 + i)).map((b) =>
    text([x(b), 350], `${b / KIB} KiB`),
  )
  const marks = Array.from({ length: y1 - y0 + 1 }, (_, i) => 2 ** (y0 + i)).map((s) =>
    text([52, y(s) + 4], `${s} s`, "end"),
  )
  const lines = series.map(({ name, color, points }, i) => {
    const path = points.map((p) => `${x(p.bytes).toFixed(1)},${y(p.seconds).toFixed(1)}`).join(" ")
    const dots = points.map(
      (p) => `<circle cx="${x(p.bytes).toFixed(1)}" cy="${y(p.seconds).toFixed(1)}" r="3" fill="${color}"/>`,
    )
    return `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="2"/>${dots.join("")}<g fill="${color}">${text([70, 40 + 18 * i], name, "start")}</g>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 370" font-family="sans-serif" font-size="11">
<title>Seconds of scoring against length, both logarithmic</title>
<rect width="600" height="370" fill="white"/>
${[...ticks, ...marks, ...lines].join("\n")}
</svg>
`
}

const part = partArguments()
if (part) {
  const [kind, name = "", bytes = ""] = part
  const result = kind === "write" ? await write(name, Number(bytes)) : await score(name, Number(bytes))
  process.stdout.write(JSON.stringify(result))
  process.exit(0)
}

const args = process.argv.slice(2).filter((a) => a !== "--long")
const value = (name: string, usual: number) => (args.includes(name) ? Number(args[args.indexOf(name) + 1]) : usual)
const pack = args.find((a, i) => !a.startsWith("--") && !args[i - 1]?.startsWith("--")) ?? "text"
const bytes = value("--bytes", MIB)
const largest = value("--largest", MIB)
const minutes = value("--minutes", 5)

function scoredUpTo(name: string, most: number, minutes?: number): Scored[] {
  const points: Scored[] = []
  for (let bytes = 16 * KIB; bytes <= most; bytes *= 2) {
    const found = apart<Scored>(import.meta.url, ["score", name, String(bytes)], minutes)
    if (!found) break
    process.stderr.write(`${name}: ${JSON.stringify(found)}\n`)
    points.push(found)
  }
  return points
}

const million = scoredUpTo("million", largest)
const plain = scoredUpTo("plain-bytes", largest, minutes)
const written = apart<Written>(import.meta.url, ["write", pack, String(bytes)])
const [first, last] = [written?.marks[0], written?.marks.at(-1)]
if (!written || !first || !last) throw new Error("nothing was written")
writeFileSync(
  join(PERFORMANCE, "../long.svg"),
  plot([
    { name: withSlope("MEGABYTE, patches of 64 bytes", million), color: "#1f5fbf", points: million },
    { name: withSlope("plain transformer over bytes", plain), color: "#bf4f1f", points: plain },
  ]),
)
const number = (x: number) => x.toLocaleString("en-US")
const leftOut = [
  ...(bytes < MIB ? [`only ${number(bytes)} bytes were written`] : []),
  ...(largest < MIB ? [`nothing over ${number(largest)} bytes was read`] : []),
]
const scoredTable = (title: string, points: Scored[]) =>
  table(
    [`KiB, ${title}`, "s", "bytes/s", "peak MB"],
    points.map((p) => [
      String(p.bytes / KIB),
      p.seconds.toFixed(1),
      number(Math.round(p.bytes / p.seconds)),
      p.mb.toFixed(0),
    ]),
  )
fill(
  PERFORMANCE,
  "long",
  `\`npm run bench -- --long${args.map((a) => ` ${a}`).join("")}\` on ${cpus()[0]?.model}, ${cpus().length} cores; 8 bits, one thread, seconds of
processor time.${leftOut.length ? ` Left out of this run: of a million bytes, ${leftOut.join(", and ")}.` : ""}

### Written

${number(bytes)} bytes of the pack "${pack}" in one run. Resident memory from ${number(first.at / KIB)} KiB to the end: ${first.mb.toFixed(0)} to ${last.mb.toFixed(0)} MB
(${(last.mb / first.mb).toFixed(2)} times). A patch at the end takes ${written.end.toFixed(2)} ms; in a sequence that has just filled its window, in turn with it,
${written.fresh.toFixed(2)} ms (${(written.end / written.fresh).toFixed(2)} times).

${table(
  ["KiB written", "ms a patch", "MB resident"],
  written.marks.map((m) => [number(m.at / KIB), m.ms.toFixed(2), m.mb.toFixed(0)]),
)}

### Read

Files scored in one go, every byte in sight of all before it, random weights: patches of 64 bytes and a context of
1,048,576 bytes, beside a plain transformer over bytes as far as it comes in ${minutes} minutes a length.

![Time against length](long.svg)

${scoredTable("MEGABYTE", million)}

${scoredTable("plain transformer", plain)}`,
)
process.exit(0)
