import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import sharp from "sharp"
import { z } from "zod"
import { secondBytes, soundOf } from "../../contract/pack.ts"
import { decodeSamples } from "../../contract/samples.ts"
import { notesOf } from "../../contract/transcription.ts"
import { writeFlac } from "../../main/host/media/audio.ts"
import { PagePack, stretches } from "../page.ts"
import { distance, meanMusic, musicOf } from "./music.ts"

/**
 * Regenerates the page of the tunes, their samples and rolls.png: `npx tsx native-models/audio/report.ts [FOLDER]
 * [--samples 10] [--scored 8]`. It needs the held-out tunes that training/render_tunes.py plays, and Debian's flac and xz-utils.
 * Samples are the first seeds, continuations the first held-out tunes: nothing is picked.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { samples: { type: "string", default: "10" }, scored: { type: "string", default: "8" } },
})
const folder = resolve(positionals[0] ?? fileURLToPath(new URL(".", import.meta.url)))
const held = fileURLToPath(new URL("../training/build/tunes", import.meta.url))
const page = new PagePack(folder)
const { pack, sampling } = page
const media = soundOf(pack)
if (!media) throw new Error(`${folder} is no sound pack`)
const { rate, styles } = media
const second = secondBytes(media)
const TIMBRES = ["organ", "triangle", "pulse", "pluck"]
/** Held-out tunes that are scored in every timbre, and seconds of each. */
const [SCORED, SECONDS] = [Number(values.scored), 10]
/** Seconds of a sample; of a continuation what is given and what is made. */
const [LENGTH, GIVEN, CONTINUED] = [30, 8, 8]

const Tune = z.object({ kind: z.string(), patches: z.number() })
const tunes = z.array(Tune).parse(JSON.parse(readFileSync(join(held, "tunes.json"), "utf8")))
/** A held-out tune as it was played: the samples of an 8-bit WAV are the pack's own bytes. */
function played(timbre: string, number: number): Uint8Array<ArrayBuffer> {
  const wav = readFileSync(join(held, `${timbre}-${String(number).padStart(2, "0")}.wav`))
  return Uint8Array.from(wav.subarray(wav.indexOf("data") + 8))
}
const heard = (bytes: Uint8Array) => notesOf(decodeSamples(bytes, media), rate)

/** Bytes of a sound under FLAC, as 8-bit samples, and under xz. */
function codecs(bytes: Uint8Array): { flac: number; xz: number } {
  const form = ["--force-raw-format", "--endian=little", "--sign=unsigned", "--channels=1", "--bps=8"]
  const quiet = ["-8", "-s", "-c", "--no-padding", "--no-seektable", `--sample-rate=${rate}`]
  const stdio: ["pipe", "pipe", "ignore"] = ["pipe", "pipe", "ignore"]
  return {
    flac: execFileSync("flac", [...quiet, ...form, "-"], { input: bytes, stdio }).length,
    xz: execFileSync("xz", ["-9e", "-c"], { input: bytes }).length,
  }
}

const bits = TIMBRES.map((timbre) => ({ timbre, model: 0, flac: 0, xz: 0 }))
for (const sums of bits)
  for (let i = 0; i < SCORED; i++) {
    const bytes = played(sums.timbre, i).slice(0, SECONDS * second)
    const per = SCORED * bytes.length
    sums.model += (await page.bitsOf(bytes, "int8")) / per
    const { flac, xz } = codecs(bytes)
    sums.flac += (8 * flac) / per
    sums.xz += (8 * xz) / per
  }
const mean = (of: (x: (typeof bits)[number]) => number) => bits.reduce((sum, x) => sum + of(x), 0) / bits.length
bits.push({ timbre: "mean", model: mean((x) => x.model), flac: mean((x) => x.flac), xz: mean((x) => x.xz) })
const bitRows = bits.map(
  ({ timbre, model, flac, xz }) => `| ${timbre} | **${model.toFixed(4)}** | ${xz.toFixed(3)} | ${flac.toFixed(2)} |`,
)
console.log(bitRows.join("\n"))

// Kinds about as often as among the held-out tunes, timbres in turn.
const kinds = ["reel", "jig", "reel", "song", "jig", "reel", "chorale", "jig", "polka", "reel"].slice(
  0,
  Number(values.samples),
)
const samples: { title: string; bytes: Uint8Array }[] = []
const ratios: number[] = []
for (const [i, kind] of kinds.entries()) {
  const title = `${kind}, ${TIMBRES[i % TIMBRES.length]}`
  const began = performance.now()
  const [bytes] = await page.generate({ seed: i + 1, length: LENGTH * second, style: styles.indexOf(title) })
  const ratio = LENGTH / ((performance.now() - began) / 1000)
  if (i > 0) ratios.push(ratio) // the first loads the pack
  if (bytes) samples.push({ title: `${title}, seed ${i + 1}`, bytes })
  console.log(title, `${ratio.toFixed(2)} times as fast as it plays`)
}
ratios.sort((a, b) => a - b)

const made = meanMusic(samples.map(({ bytes }) => musicOf(heard(bytes))))
const truth = tunes.map((_, i) => musicOf(heard(played("organ", i))))
const real = meanMusic(truth)
const halves = [0, 1].map((half) => meanMusic(truth.filter((_, i) => i % 2 === half)))
const share = (bytes: Uint8Array, of: (byte: number) => boolean) => bytes.filter(of).length / bytes.length
const average = (of: (bytes: Uint8Array) => number) =>
  samples.reduce((sum, { bytes }) => sum + of(bytes), 0) / samples.length
const exact = average((bytes) => {
  const notes = heard(bytes)
  return notes.filter((note) => note.exact).length / Math.max(1, notes.length)
})
const percent = (x: number) => `${(100 * x).toFixed(x > 0 && x < 0.01 ? 2 : 0)} %`
const apart = (of: (m: typeof real) => number[]) => {
  const [a, b] = halves as [typeof real, typeof real]
  return `${distance(of(made), of(real)).toFixed(2)} | ${distance(of(a), of(b)).toFixed(2)}`
}
const musicRows = [
  `| time within 40 cents of the scale of twelve | ${percent(made.inTune)} | ${percent(real.inTune)} | 97 % |`,
  `| notes whose periods repeat exactly | ${percent(exact)} | 100 % | |`,
  `| tunes in one key (95 % of the time in one major scale) | ${percent(made.oneKey)} | ${percent(real.oneKey)} | |`,
  `| bars that came before, note for note | ${percent(made.comesBack)} | ${percent(real.comesBack)} | |`,
  `| silence | ${percent(average((bytes) => share(bytes, (byte) => byte === 128)))} | ${percent(share(played("organ", 0), (byte) => byte === 128))} | |`,
  `| clipping | ${percent(average((bytes) => share(bytes, (byte) => byte === 0 || byte === 255)))} | 0 % | |`,
]
const distanceRows = [
  `| intervals | ${apart((m) => m.intervals)} | 0.15 |`,
  `| note lengths | ${apart((m) => m.lengths)} | 0.15 |`,
  `| degrees of the scale | ${apart((m) => m.degrees)} | 0.15 |`,
]
console.log([...musicRows, ...distanceRows].join("\n"))

const pairs: { title: string; truth: Uint8Array; made: Uint8Array }[] = []
for (let i = 0; i < 3; i++) {
  const timbre = TIMBRES[i] as string
  const whole = played(timbre, i).slice(0, (GIVEN + CONTINUED) * second)
  const given = whole.subarray(0, GIVEN * second)
  const [bytes] = await page.generate({ seed: i + 1, length: CONTINUED * second, given })
  if (bytes) pairs.push({ title: `${tunes[i]?.kind}, ${timbre}`, truth: whole, made: bytes })
}

/** A piano roll: time to the right, pitch upwards; what was given is pale. */
function roll(title: string, bytes: Uint8Array, given = 0): string {
  const [width, height, low, high] = [660, 96, 44, 78]
  const row = height / (high - low)
  const total = bytes.length / second
  const bars = heard(bytes).map(({ start, length, pitch }) => {
    const [x, y] = [(start / total) * width, (high - pitch) * row]
    return `<rect x="${x.toFixed(1)}" y="${(y + 18).toFixed(1)}" width="${Math.max(1, (length / total) * width - 0.5).toFixed(1)}" height="${row.toFixed(1)}" fill="${start < given ? "#b9b2d6" : "#4b3fa7"}"/>`
  })
  return `<text x="0" y="13" font-size="12">${title}</text><rect y="18" width="${width}" height="${height}" fill="#f4f3f8"/>${bars.join("")}`
}
const rolls = [
  ...samples.map(({ title, bytes }) => roll(title, bytes)),
  ...pairs.flatMap(({ title, truth, made }) => [
    roll(`held out: ${title}`, truth, GIVEN),
    roll(`its first ${GIVEN} seconds, continued`, made, GIVEN),
  ]),
]
const placed = rolls.map(
  (svg, i) => `<g transform="translate(${16 + (i % 2) * 692}, ${12 + (i >> 1) * 128})">${svg}</g>`,
)
const size = `width="1384" height="${12 + 128 * Math.ceil(rolls.length / 2)}"`
const sheet = `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="sans-serif" fill="#333"><rect ${size} fill="#fff"/>${placed.join("")}</svg>`
await sharp(Buffer.from(sheet)).png({ palette: true, compressionLevel: 9 }).toFile(join(folder, "rolls.png"))

for (const name of readdirSync(folder)) if (/^(sample|continued)-\d+\.flac$/.test(name)) rmSync(join(folder, name))
const listen: string[] = []
for (const [i, { title, bytes }] of samples.entries()) {
  const name = `sample-${i + 1}.flac`
  const settings = { pack: pack.name, length: LENGTH * second, seed: i + 1, variations: 1, sampling, style: 0 }
  const style = styles.indexOf(title.replace(/, seed .*/, ""))
  writeFileSync(join(folder, name), await writeFlac(decodeSamples(bytes, media), rate, { ...settings, style }))
  listen.push(`[${title}](${name})`)
}

const readme = `# ${pack.title}

${pack.data}. License: ${pack.license}.

${(pack.parameters / 1e6).toFixed(1)} million parameters, ${(statSync(join(folder, "weights.safetensors")).size / 1e6).toFixed(1)} MB; ${rate / 1000} kHz, a linear byte a sample, patches of ${pack.model.patch} bytes and a context of ${((pack.model.context * pack.model.patch) / second).toFixed(1)} seconds; trained for ${stretches(pack.training)}. This page is written by \`npx tsx native-models/audio/report.ts\`; \`train.toml\` is the configuration for a GPU, \`pack.json\` tells what these weights were made with.

A tune is one voice of organ, triangle, pulse or plucked string. Every note begins with a patch, repeats exactly every period and is known by its first byte, so that nearly all bytes follow from those before and what is learned is the music. What flatters the figures below: all tunes, the held-out ones too, are moved to C or F and to four steady tempos, and where a style is chosen the model is told one patch of each pitch of its instrument (\`media.instruments\` in pack.json) as if it had been heard; no note and no rest is made longer than a bar.

What a person drops (a hummed tune, a recording) is continued too, as well as a model can that has only ever heard these four timbres: expect it to go on in one of them, and not in the key of a recording that is out of tune.

## Held-out bits per byte

The first ${SECONDS} seconds of ${SCORED} held-out tunes in every timbre, style left open, as it ships (8 bits); beside xz -9e and FLAC -8 on the same bytes. Goal: 0.10.

| timbre | this pack | xz | FLAC |
| --- | --- | --- | --- |
${bitRows.join("\n")}

## Is it music?

${samples.length} samples of ${LENGTH} seconds (seeds 1 to ${samples.length}, nothing picked), transcribed back into notes, beside the first ${LENGTH} seconds of the ${tunes.length} held-out tunes.

| measure | samples | held out | goal |
| --- | --- | --- | --- |
${musicRows.join("\n")}

| distance of the mean histograms (0 the same, 1 nothing in common) | samples to held out | two halves of the held out | goal |
| --- | --- | --- | --- |
${distanceRows.join("\n")}

Made ${(ratios[ratios.length >> 1] ?? 0).toFixed(2)} times as fast as it plays (median of ${ratios.length}, the slowest ${(ratios[0] ?? 0).toFixed(2)}), on the machine that wrote this page while it did other work.

## Listen and look

${listen.join(" · ")}

The samples' notes, then three held-out tunes beside what the pack makes of their first ${GIVEN} seconds (pale: given).

![Piano rolls](rolls.png)

![Loss](loss.png)
`
writeFileSync(join(folder, "README.md"), readme)
page.close()
