import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { brotliCompressSync, constants, gzipSync } from "node:zlib"
import { PagePack, stretches } from "../page.ts"
import { longestOverlap } from "./overlap.ts"

/**
 * Regenerates README.md of the text pack: `npx tsx native-models/text/report.ts`. It needs ../shared/data and Debian's
 * xz-utils, zstd and p7zip-full (for PPMd), and takes some minutes. Nothing in it is written by hand but the words.
 */
const folder = fileURLToPath(new URL(".", import.meta.url))
const data = join(folder, "../../../shared/data")
const held = join(data, "heldout/text")
const page = new PagePack(folder)
const { pack, sampling, work } = page
const books = readdirSync(held)
  .filter((f) => f.endsWith(".txt"))
  .sort()
const bits = (compressed: number, bytes: number) => ((8 * compressed) / bytes).toFixed(3)
const bytesOut = (command: string, args: string[]) => execFileSync(command, args, { maxBuffer: 2 ** 28 }).length

/** bits per byte of 7-Zip's PPMd, order 16 and 256 MB, on one file. */
function ppmd(path: string): number {
  const archive = join(work, "book.7z")
  rmSync(archive, { force: true })
  execFileSync("7z", ["a", "-m0=PPMd:o=16:mem=256m", archive, path], { stdio: "ignore" })
  return statSync(archive).size
}

const rows: string[] = []
const means = { model: 0, gzip: 0, xz: 0, zstd: 0, brotli: 0, ppmd: 0 }
let exact = 0
for (const name of books) {
  const path = join(held, name)
  const book = readFileSync(path)
  const model = (await page.bitsOf(Uint8Array.from(book), "int8")) / book.length
  exact += (await page.bitsOf(Uint8Array.from(book), "fp32")) / book.length / books.length
  const sizes = {
    gzip: gzipSync(book, { level: 9 }).length,
    xz: bytesOut("xz", ["-9e", "-k", "-c", path]),
    zstd: bytesOut("zstd", ["-19", "-q", "-c", path]),
    brotli: brotliCompressSync(book, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 },
    }).length,
    ppmd: ppmd(path),
  }
  means.model += model / books.length
  for (const [key, value] of Object.entries(sizes) as [keyof typeof sizes, number][])
    means[key] += (8 * value) / book.length / books.length
  rows.push(
    `| ${name.replace(".txt", "")} | **${model.toFixed(3)}** | ${Object.values(sizes)
      .map((s) => bits(s, book.length))
      .join(" | ")} |`,
  )
  console.log(rows.at(-1))
}
rows.push(
  `| mean | **${means.model.toFixed(3)}** | ${[means.gzip, means.xz, means.zstd, means.brotli, means.ppmd].map((x) => x.toFixed(3)).join(" | ")} |`,
)

// A person's text begins where a paragraph does: what it is worth to tell the model so.
const paragraphs = books.flatMap((b) => {
  const long = readFileSync(join(held, b), "utf8")
    .split(/\n\n+/)
    .filter((p) => p.length > 220)
  return Array.from({ length: 25 }, (_, i) =>
    Buffer.from(long[Math.floor((i * long.length) / 25)] ?? "").subarray(0, 200),
  )
})
const alone = { told: 0, untold: 0 }
for (const paragraph of paragraphs) {
  const share = 1 / (paragraph.length * paragraphs.length)
  alone.told += share * (await page.bitsOf(Uint8Array.from(paragraph), "int8"))
  alone.untold += share * (await page.bitsOf(Uint8Array.from(paragraph), "int8", false))
}

const words = (text: string) => text.toLowerCase().match(/[a-zà-ÿ]+(?:['’][a-z]+)*/g) ?? []
const runs = (all: string[], length: number) => all.slice(length - 1).map((_, i) => all.slice(i, i + length).join(" "))
const distinct = (text: string) => {
  const grams = runs(words(text), 4)
  return new Set(grams).size / Math.max(1, grams.length)
}
const samples: Uint8Array[] = []
for (let seed = 1; seed <= 10; seed++) samples.push(...(await page.generate({ seed, length: 600 })))
const text = samples.map((s) => Buffer.from(s).toString("utf8"))
const all = text.flatMap(words)
// The last character of a sample may be cut by its length; that is no mistake of the model's.
const valid = samples.filter((s) => !new TextDecoder("utf-8").decode(s, { stream: true }).includes("\ufffd")).length
const heldText = books.map((b) => readFileSync(join(held, b), "utf8").slice(20000, 26000)).join("\n")
// What training read: the dictionary, what follows what in English, and what a sample could have been copied from.
const training = Buffer.concat(
  ["storybooks", "classics-1", "classics-2", "classics-3"].map((name) =>
    execFileSync("tar", ["xJOf", join(data, "text", `${name}.tar.xz`)], { maxBuffer: 2 ** 28 }),
  ),
)
const counts = new Map<string, number>()
const seen = new Map([...text, heldText].flatMap((t) => runs(words(t), 3)).map((run) => [run, false]))
for (let i = 0; i < training.length; i += 2 ** 24) {
  const part = words(training.toString("utf8", i, i + 2 ** 24))
  for (const w of part) counts.set(w, (counts.get(w) ?? 0) + 1)
  for (const run of runs(part, 3)) if (seen.has(run)) seen.set(run, true)
}
// A word is in the dictionary when the books use it at least five times: a list of misprints would not be one.
const known = (w: string) => (counts.get(w) ?? 0) >= 5
/** Share of three words in a row that follow each other in the training books too. */
const usual = (texts: string[]) => {
  const all = texts.flatMap((t) => runs(words(t), 3))
  return all.filter((run) => seen.get(run)).length / all.length
}
const copy = longestOverlap(samples, training)
const heldPieces = Array.from({ length: 40 }, (_, i) => heldText.slice(i * 600, (i + 1) * 600))
/** Of the names in each piece (capitals inside a sentence), the share that comes more than once in it. */
const returning = (pieces: string[]) => {
  const names = pieces.flatMap((piece) =>
    [...new Set(piece.match(/(?<=[a-z,;] )[A-Z][a-z]{2,}/g))].map((name) => piece.split(name).length > 2),
  )
  return names.filter(Boolean).length / Math.max(1, names.length)
}
/** Of the paragraphs with quotes, without the first and the last of each piece, the share whose quotes all close. */
const closing = (pieces: string[]) => {
  const inside = pieces.flatMap((piece) => piece.split(/\n\s*\n/).slice(1, -1))
  const spoken = inside.filter((paragraph) => /["“”]/.test(paragraph))
  const count = (paragraph: string, mark: string) => paragraph.split(mark).length - 1
  const closed = spoken.filter((p) => count(p, '"') % 2 === 0 && count(p, "“") === count(p, "”"))
  return closed.length / Math.max(1, spoken.length)
}
const percent = (x: number) => `${(100 * x).toFixed(1)} %`

writeFileSync(
  join(folder, "README.md"),
  `# ${pack.title}

A MEGABYTE model of English prose: ${(pack.parameters / 1e6).toFixed(1)}M parameters, stored in 8 bits (${(statSync(join(folder, "weights.safetensors")).size / 1e6).toFixed(1)} MB).
${pack.data}. License of the weights: ${pack.license}.
The books are of their time, mostly the nineteenth century, and so are their words: what it writes can hold some that hurt today.

Written by \`npx tsx native-models/text/report.ts\`.

![Loss curve](loss.png)

## Bits per byte on books it never saw

| book | this pack | gzip -9 | xz -9e | zstd -19 | brotli 11 | PPMd (order 16) |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join("\n")}

Each book on its own, whole, in one pass from its first byte, 8-bit weights and activations. With the same stored weights in
fp32 the mean is ${exact.toFixed(4)}: running in 8 bits costs ${(means.model - exact).toFixed(4)} bits a byte. Before the weights were stored in 8 bits the
held-out figure of training was ${String(pack.heldOut.beforeQuantization)}, after it ${pack.heldOut.bitsPerByte}.

A paragraph given alone takes ${alone.told.toFixed(3)} bits a byte over its first 200 (25 of each book), with the end of a paragraph before
it that the app tells the model of; without it ${alone.untold.toFixed(3)}.

## Ten samples, as they came out

600 bytes each from nothing (the model is told that a paragraph begins), seeds 1 to 10, temperature ${sampling.temperature}, top-p ${sampling.topP}.

| measure | samples | held-out text |
| --- | --- | --- |
| words that the training books use five times or more | ${percent(all.filter(known).length / all.length)} | ${percent(words(heldText).filter(known).length / words(heldText).length)} |
| three words in a row that the training books have too | ${percent(usual(text))} | ${percent(usual([heldText]))} |
| samples that are valid UTF-8 | ${valid} of 10 | |
| distinct 4-grams of words | ${percent(distinct(text.join("\n")))} | ${percent(distinct(heldText))} |
| names that come back within 600 bytes | ${percent(returning(text))} | ${percent(returning(heldPieces))} |
| paragraphs whose quotes close | ${percent(closing(text))} | ${percent(closing(heldPieces))} |
| longest verbatim overlap with the training data | ${copy.length} bytes: ${JSON.stringify(Buffer.from(copy).toString("utf8"))} | |

${text
  .map(
    (t, i) =>
      `### Seed ${i + 1}\n\n${t
        .trim()
        .split("\n")
        .map((line) => (line ? `> ${line}` : ">"))
        .join("\n")}`,
  )
  .join("\n\n")}

## How it was made

\`python native-models/training/train.py native-models/text/train.toml\`: ${stretches(pack.training)}. Data sha256
${String(pack.training.dataSha256).slice(0, 16)}….
`,
)
page.close()
console.log("README.md written")
