import { execFileSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { cpus } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { defaultSampling } from "../contract/sampling.ts"
import { Decoder } from "../main/engine/decode/decoder.ts"
import { Model } from "../main/engine/decode/model.ts"
import { benchPack, cache } from "./random-pack.ts"
import { anyPrompt, median } from "./timing.ts"

/**
 * `npm run bench -- --long [PACK] [--bytes N] [--minutes M]`: a million bytes in one sequence. Decodes N bytes (1,048,576)
 * of a pack and tells memory and time along the way; then scores files of 16 KiB to 1 MiB in one go, with a context as
 * long as they are, beside a plain transformer over bytes as far as M minutes (5) a length allow. Writes LONG.md and
 * long.svg beside this file. Each part runs in a process of its own.
 */
const here = fileURLToPath(new URL(".", import.meta.url))
const KIB = 1024
const args = process.argv.slice(2).filter((a) => a !== "--long")
const value = (name: string, usual: number) => (args.includes(name) ? Number(args[args.indexOf(name) + 1]) : usual)
const resident = () => process.memoryUsage.rss() / 2 ** 20

type Decoded = { at: number; ms: number; mb: number }
type Scored = { bytes: number; seconds: number; mb: number }

/** Decodes `bytes` and tells, at every 64 KiB, the median patch of the last 4 KiB and what is resident. */
async function decode(name: string, bytes: number): Promise<Decoded[]> {
  const model = Model.load(benchPack(name), "int8", 1, cache)
  const { patch } = model.config
  const { decoder } = await Decoder.start(model, new Uint8Array(), 1)
  const told: Decoded[] = []
  let times: number[] = []
  for (let at = patch; at <= bytes; at += patch) {
    const began = performance.now()
    await decoder.step(defaultSampling, 1)
    times.push(performance.now() - began)
    if (at % (4 * KIB) !== 0) continue
    if (at % (64 * KIB) === 0 || at === 16 * KIB) told.push({ at, ms: median(times), mb: resident() })
    times = []
  }
  return told
}

/** Scores `bytes` in one go. */
async function score(name: string, bytes: number): Promise<Scored> {
  const model = Model.load(benchPack(name), "int8", 0, cache)
  await Decoder.score(model, anyPrompt(KIB)) // loads the graph
  const began = performance.now()
  await Decoder.score(model, anyPrompt(bytes))
  const mb = process.resourceUsage().maxRSS / KIB
  return { bytes, seconds: (performance.now() - began) / 1000, mb }
}

/** The same in a process of its own: what it is asked for comes back as JSON; undefined when it took too long. */
function apart<T>(part: string[], minutes = 60): T | undefined {
  const command = ["--import", "tsx", fileURLToPath(import.meta.url), "--part", ...part]
  try {
    return JSON.parse(execFileSync(process.execPath, command, { encoding: "utf8", timeout: minutes * 60_000 }))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ETIMEDOUT") return undefined
    throw error
  }
}

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
  const span = (values: number[], digits: number) =>
    [Math.floor(Math.log2(Math.min(...values)) / digits) * digits, Math.ceil(Math.log2(Math.max(...values)))] as const
  const [x0, x1] = span(
    all.map((p) => p.bytes),
    1,
  )
  const [y0, y1] = span(
    all.map((p) => p.seconds),
    1,
  )
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
<rect width="600" height="370" fill="white"/>
${[...ticks, ...marks, ...lines].join("\n")}
</svg>
`
}

if (args[0] === "--part") {
  const [, part, name = "", bytes = ""] = args
  const result = part === "decode" ? await decode(name, Number(bytes)) : await score(name, Number(bytes))
  process.stdout.write(JSON.stringify(result))
  process.exit(0)
}

const pack = args.find((a, i) => !a.startsWith("--") && !args[i - 1]?.startsWith("--")) ?? "text"
const decoded = apart<Decoded[]>(["decode", pack, String(value("--bytes", 2 ** 20))]) ?? []
console.log(pack, JSON.stringify(decoded))
const rowsOf = (name: string, minutes: number) => {
  const points: Scored[] = []
  for (let bytes = 16 * KIB; bytes <= 2 ** 20; bytes *= 2) {
    const found = apart<Scored>(["score", name, String(bytes)], minutes)
    if (!found) break
    console.log(name, JSON.stringify(found))
    points.push(found)
  }
  return points
}
const million = rowsOf("million", 60)
const plain = rowsOf("plain-bytes", value("--minutes", 5))
const [first, last] = [decoded.find((d) => d.at === 64 * KIB) ?? decoded[0], decoded.at(-1)]
writeFileSync(
  join(here, "long.svg"),
  plot([
    { name: `MEGABYTE, patches of 64 bytes: slope ${slope(million).toFixed(2)}`, color: "#1f5fbf", points: million },
    { name: `plain transformer over bytes: slope ${slope(plain).toFixed(2)}`, color: "#bf4f1f", points: plain },
  ]),
)
const table = (points: Scored[]) =>
  points
    .map(
      (p) => `| ${p.bytes / KIB} | ${p.seconds.toFixed(1)} | ${Math.round(p.bytes / p.seconds)} | ${p.mb.toFixed(0)} |`,
    )
    .join("\n")
writeFileSync(
  join(here, "LONG.md"),
  `# A million bytes in one sequence

Written by \`npm run bench -- --long ${pack}\` on ${cpus()[0]?.model}, ${cpus().length} cores, in 8 bits.

## Written

${last?.at ?? 0} bytes of the pack ${pack} in one run on one thread. From 64 KiB to the end: resident memory ${first?.mb.toFixed(0)} to ${last?.mb.toFixed(0)} MB
(${((last?.mb ?? 0) / (first?.mb ?? 1)).toFixed(2)} times), the median patch ${first?.ms.toFixed(2)} to ${last?.ms.toFixed(2)} ms (${((last?.ms ?? 0) / (first?.ms ?? 1)).toFixed(2)} times).

| KiB written | ms a patch | MB resident |
| --- | --- | --- |
${decoded.map((d) => `| ${d.at / KIB} | ${d.ms.toFixed(2)} | ${d.mb.toFixed(0)} |`).join("\n")}

## Read

Files scored in one go, every byte in sight of all before it, random weights: patches of 64 bytes and a context of
1,048,576 bytes, beside a plain transformer over bytes (one layer stack, patches of one byte) as far as it comes.

![Time against length](long.svg)

| KiB, MEGABYTE | s | bytes/s | peak MB |
| --- | --- | --- | --- |
${table(million)}

| KiB, plain | s | bytes/s | peak MB |
| --- | --- | --- | --- |
${table(plain)}
`,
)
process.exit(0)
