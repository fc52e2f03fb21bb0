import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { brotliCompressSync, constants, gzipSync } from "node:zlib"
import { documentsOf } from "../../contract/pack.ts"
import { presetsOf } from "../../contract/presets.ts"
import type { Sampling } from "../../contract/sampling.ts"
import { PagePack, stretches } from "../page.ts"
import {
  closing,
  dictionary,
  distinct,
  firstBytes,
  returning,
  sentencesKnown,
  typographic,
  withoutTitle,
  wordsKnown,
} from "./measures.ts"
import { longestOverlap } from "./overlap.ts"

/**
 * Regenerates README.md of the text pack: `npx tsx native-models/text/report.ts --python PYTHON`. It needs
 * ../shared/data, Debian's xz-utils and p7zip-full (for PPMd), and a Python with what training/score_with_smollm.py asks for; it
 * takes half an hour and goes on from what is kept of an earlier run. Nothing in it is written by hand but the words.
 *
 * `--try NAME=JSON …` compares ways of sampling instead: prints their measures, writes nothing.
 */
const folder = fileURLToPath(new URL(".", import.meta.url))
const training = join(folder, "../training")
const data = join(folder, "../../../shared/data")
const { values: options, positionals: tried } = parseArgs({
  allowPositionals: true,
  options: { python: { type: "string", default: join(training, "build/venv/bin/python") }, try: { type: "boolean" } },
})
const page = new PagePack(folder)
const { pack } = page
const documents = documentsOf(pack)

// Slow parts are kept by the weights that they belong to.
const weights = readFileSync(join(folder, "weights.safetensors"))
const keep = join(training, "build/text-report", createHash("sha256").update(weights).digest("hex").slice(0, 12))
mkdirSync(keep, { recursive: true })
async function kept<T>(name: string, make: () => T | Promise<T>): Promise<T> {
  const path = join(keep, `${name}.json`)
  if (!existsSync(path)) {
    const made = await make()
    writeFileSync(path, JSON.stringify(made))
    console.log(`${name} done`)
    return made
  }
  return JSON.parse(readFileSync(path, "utf8"))
}

const storiesOf = (path: string) =>
  readFileSync(path, "utf8")
    .split(/^\f$/m)
    .map((story) => story.trim())
    .filter(Boolean)
const style = (name: string) => documents.styles.indexOf(name)
const TALE = style("tiny tale")
const BEDTIME = style("bedtime story")
if (TALE < 0 || BEDTIME < 0)
  throw new Error("This page is of a pack with the styles of ../text/train.toml; train it first.")
const held = join(data, "heldout")
const books = readdirSync(join(held, "bedtime")).sort()
const sets = [
  ...books.map((name) => ({ name: name.replace(".txt", ""), path: join(held, "bedtime", name), style: BEDTIME })),
  { name: "Tiny tales", path: join(held, "tiny-tales.txt"), style: TALE },
]

/**
 * Bits of a story with its end mark, as training/megabyte/stories.py scores it: windows of the trained length, each
 * moved by a half and scored in its second half, the first one whole.
 */
async function bitsOfStory(story: string, style: number): Promise<{ bits: number; bytes: number }> {
  const { patch, context } = pack.model
  const text = Buffer.concat([Buffer.from(story), Buffer.from([documents.endMark ?? 0])])
  const header = documents.header({ style }).length
  const room = context * patch - header
  const half = Math.floor(room / 2 / patch) * patch
  let bits = 0
  for (let start = 0; start === 0 || start < text.length - (room - half); start += half) {
    const head = documents.header({ style, cut: start > 0 })
    const window = text.subarray(start, start + room)
    const costs = await page.bitsOfEach(Uint8Array.from([...head, ...window]), "int8")
    bits += costs.subarray(header + (start ? room - half : 0)).reduce((a, b) => a + b, 0)
  }
  return { bits, bytes: text.length }
}

const bytesOut = (command: string, args: string[]) => execFileSync(command, args, { maxBuffer: 2 ** 28 }).length

/** Bytes that 7-Zip's PPMd, order 16 and 256 MB, makes of one file. */
function ppmd(path: string): number {
  const archive = join(page.work, "book.7z")
  rmSync(archive, { force: true })
  execFileSync("7z", ["a", "-m0=PPMd:o=16:mem=256m", archive, path], { stdio: "ignore" })
  return statSync(archive).size
}

/** Bits a byte of a held-out set under the pack and under compressors. */
async function scored({ path, style }: (typeof sets)[number]) {
  let bits = 0
  let bytes = 0
  for (const story of storiesOf(path)) {
    const part = await bitsOfStory(story, style)
    bits += part.bits
    bytes += part.bytes
  }
  const book = readFileSync(path)
  const brotli = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 } }
  const sizes = [
    gzipSync(book, { level: 9 }).length,
    bytesOut("xz", ["-9e", "-k", "-c", path]),
    brotliCompressSync(book, brotli).length,
    ppmd(path),
  ]
  return [bits / bytes, ...sizes.map((size) => (8 * size) / book.length)]
}

/** A paragraph in both spellings: bits of the typographic one beside those of the plain one, over 30 of them. */
async function spellings(): Promise<number> {
  const paragraphs = books.flatMap((name) =>
    storiesOf(join(held, "bedtime", name))
      .flatMap((story) => story.split("\n\n"))
      .filter((p) => p.length > 300 && p.length < 1500 && /"/.test(p) && /'|--/.test(p))
      .slice(0, 10),
  )
  const sum = { plain: 0, curly: 0 }
  for (const paragraph of paragraphs) {
    sum.plain += (await bitsOfStory(paragraph, BEDTIME)).bits
    sum.curly += (await bitsOfStory(typographic(paragraph), BEDTIME)).bits
  }
  return sum.curly / sum.plain - 1
}

const OPENINGS = [
  "Once upon a time, there was a little girl named Anna.",
  "One sunny day, Ben and his mom went to the",
  "There was once a small brown bear who lived in the forest.",
  "In the evening, Grandma sat down by the fire and said,",
  "Tom had a new red kite.",
]
const LENGTH = 600 // bytes of a sample, and of the held-out pieces beside it
const EACH = 8 // samples of an opening

/** 40 samples of a style from the openings; a story may end before its 600 bytes are full. */
async function samplesOf(style: number, sampling: Sampling): Promise<string[]> {
  const result: string[] = []
  for (const [i, opening] of OPENINGS.entries()) {
    const given = Buffer.from(opening)
    const wish = { style, untilEnd: true, sampling, given, length: LENGTH - given.length }
    result.push(...(await page.generate({ ...wish, seed: 1 + i, variations: EACH })).map(textOf))
  }
  return result
}

/** What a person reads of the bytes made: whole characters before the end mark. */
function textOf(made: Uint8Array): string {
  const end = made.indexOf(documents.endMark ?? -1)
  return new TextDecoder().decode(end < 0 ? made : made.subarray(0, end), { stream: true })
}

/** Bits a byte under SmolLM2, each group's mean. */
function senseOf(groups: Record<string, string[]>): Record<string, number> {
  const input = JSON.stringify(groups)
  const out = execFileSync(options.python, [join(training, "score_with_smollm.py")], {
    input,
    stdio: ["pipe", "pipe", "ignore"],
  })
  return JSON.parse(out.toString())
}

const heldPieces = {
  tale: storiesOf(join(held, "tiny-tales.txt")),
  bedtime: books.flatMap((name) => storiesOf(join(held, "bedtime", name))),
}
const pieces = (stories: string[]) => stories.map((story) => firstBytes(withoutTitle(story), LENGTH))
const heldOut = { tale: pieces(heldPieces.tale), bedtime: pieces(heldPieces.bedtime) }
const heldSense = await kept("sense-held", () => senseOf(heldOut))

const percent = (x: number) => `${(100 * x).toFixed(1)} %`
const beside = (x: number, y: number) => `${x < y ? "−" : "+"}${Math.abs(100 * (x / y - 1)).toFixed(1)} %`

if (options.try) {
  for (const item of tried) {
    const [name, json] = item.split(/=(.*)/s) as [string, string]
    const sampling = { ...page.sampling, ...JSON.parse(json) }
    for (const [key, style] of Object.entries({ tale: TALE, bedtime: BEDTIME }) as ["tale" | "bedtime", number][]) {
      const samples = await kept(`try-${name}-${key}`, () => samplesOf(style, sampling))
      const sense = await kept(`try-${name}-${key}-sense`, () => senseOf({ it: samples }))
      const rows = [
        `sense ${beside(sense.it as number, heldSense[key] as number)}`,
        `distinct ${beside(distinct(samples), distinct(heldOut[key]))}`,
        `names ${percent(returning(samples))} of ${percent(returning(heldOut[key]))}`,
      ]
      console.log(name, key, rows.join(", "))
    }
  }
  page.close()
  process.exit()
}

const rows: string[] = []
const figures: number[][] = []
for (const set of sets) {
  const row = await kept(`scored ${set.name}`, () => scored(set))
  figures.push(row)
  rows.push(
    `| ${set.name} | **${row[0]?.toFixed(3)}** | ${row
      .slice(1)
      .map((x) => x.toFixed(3))
      .join(" | ")} |`,
  )
}
const ofBooks = figures.slice(0, -1)
const means = figures[0]?.map((_, i) => ofBooks.reduce((sum, row) => sum + (row[i] as number), 0) / ofBooks.length)
rows.splice(
  -1,
  0,
  `| mean of the books | **${means?.[0]?.toFixed(3)}** | ${means
    ?.slice(1)
    .map((x) => x.toFixed(3))
    .join(" | ")} |`,
)
const apart = await kept("spellings", spellings)

const archives = ["tiny-tales", "picture-books", "bedtime-easy", "bedtime-more"]
const trainingBytes = Buffer.concat(
  archives.map((name) => execFileSync("tar", ["xJOf", join(data, "text", `${name}.tar.xz`)], { maxBuffer: 2 ** 28 })),
)
const trainingText = trainingBytes.toString("utf8")
const known = dictionary(trainingText)

const measured: string[] = []
for (const [key, style] of [
  ["tale", TALE],
  ["bedtime", BEDTIME],
] as const) {
  const samples = await kept(`samples-${key}`, () => samplesOf(style, page.sampling))
  const sense = await kept(`samples-${key}-sense`, () => senseOf({ it: samples }))
  const theirs = heldOut[key]
  const row = (name: string, measure: (texts: string[]) => number) =>
    `| ${name} | ${percent(measure(samples))} | ${percent(measure(theirs))} |`
  const made = OPENINGS.flatMap((opening, i) =>
    samples.slice(i * EACH, (i + 1) * EACH).map((sample) => sample.slice(opening.length)),
  )
  const copy = longestOverlap(
    made.map((text) => Buffer.from(text)),
    trainingBytes,
  )
  measured.push(`### ${documents.styles[style]}

| measure | 40 samples | held out |
| --- | --- | --- |
| bits a byte under SmolLM2-135M | ${sense.it?.toFixed(3)} (${beside(sense.it as number, heldSense[key] as number)}) | ${heldSense[key]?.toFixed(3)} |
| distinct 4-grams of words | ${percent(distinct(samples))} (${beside(distinct(samples), distinct(theirs))}) | ${percent(distinct(theirs))} |
${row("names that come back", returning)}
${row("paragraphs whose quotes close", closing)}
${row("words that the training stories use five times or more", (texts) => wordsKnown(texts, known))}
${row("whole sentences that stand in the training stories", (texts) => sentencesKnown(texts, trainingText))}
| longest verbatim overlap with the training stories | ${copy.length} bytes: ${JSON.stringify(Buffer.from(copy).toString())} | |
`)
}

const quoted = (text: string) =>
  text
    .trim()
    .split("\n")
    .map((line) => (line ? `> ${line}` : ">"))
    .join("\n")
const shown: string[] = []
for (const style of [TALE, BEDTIME]) {
  const most = style === TALE ? 1200 : 800
  const ten = await kept(`ten-${style}`, async () => {
    const wish = { style, untilEnd: true, length: most, seed: 1, variations: 10 }
    return (await page.generate(wish)).map((made) => ({ text: textOf(made), ended: made.length < most }))
  })
  shown.push(`### ${documents.styles[style]}: ${ten.filter((one) => one.ended).length} of 10 ended within ${most} bytes

${ten.map(({ text, ended }, i) => `**${i + 1}**${ended ? "" : " (cut)"}\n\n${quoted(text)}`).join("\n\n")}
`)
}

const told = ({ temperature, topP, minP }: Sampling) => `temperature ${temperature}, top-p ${topP}, min-p ${minP}`
const presets = presetsOf(pack)
writeFileSync(
  join(folder, "README.md"),
  `# ${pack.title}

A MEGABYTE model of simple stories: ${(pack.parameters / 1e6).toFixed(1)}M parameters, stored in 8 bits (${(weights.length / 1e6).toFixed(1)} MB). Trained on ${pack.data}.
License of the weights: ${pack.license}.

What it is: a small model that has read simple text. It keeps to plain words and mostly to grammar. A tiny tale follows one of
the 32 plots that it knows well and mostly keeps its hero's name, with slips: another name takes its place, a sentence of
another plot gets in. A bedtime story keeps its names too, and wanders. Those it read are of 1870 to 1930, and so are their
words and views.

Written by \`npx tsx native-models/text/report.ts\`; nothing is picked.

![Loss curve](loss.png)

## Bits per byte on stories it never saw

| held out | this pack | gzip -9 | xz -9e | brotli 11 | PPMd (order 16) |
| --- | --- | --- | --- | --- | --- |
${rows.join("\n")}

8-bit weights and activations, as it ships. Each story is a document of its own with its style told, scored in windows of
${pack.model.context * pack.model.patch} bytes moved by a half (the second half counts, of the first window all), its end mark among what is scored; the
compressors have each file whole.

A paragraph of the bedtime stories with curly quotes and dashes takes ${beside(1 + apart, 1)} bits beside the same in typewriter spelling
(30 paragraphs, each alone).

## What it writes

40 samples a style: ${EACH} from each of five plain openings, up to ${LENGTH} bytes with the opening or to the story's end, ${told(page.sampling)};
beside the first ${LENGTH} bytes of each held-out story. The first row tells sense from grammar: how many bits an independent
language model needs for the text (not part of the app).

${measured.join("\n")}
Ways of sampling, chosen by these measures: tame (${told(presets.tame)}), default (${told(presets.default)}), wild
(${told(presets.wild)}).

## Ten stories a style, from nothing, as they came out

Seed 1, variations 1 to 10, until the story ends.

${shown.join("\n")}
## How it was made

\`python native-models/training/train.py native-models/text/train.toml\`: ${stretches(pack.training)}. Data sha256
${String(pack.training.dataSha256).slice(0, 16)}…. The credits that the picture books ask for are in
[picture-books.ATTRIBUTION.txt](picture-books.ATTRIBUTION.txt).
`,
)
copyFileSync(join(data, "text/picture-books.ATTRIBUTION.txt"), join(folder, "picture-books.ATTRIBUTION.txt"))
page.close()
console.log("README.md written")
