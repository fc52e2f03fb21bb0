import { execFileSync } from "node:child_process"
import { readFileSync, statSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import sharp from "sharp"
import { secondBytes, soundOf } from "../../contract/pack.ts"
import { decodeSamples, toInt16 } from "../../contract/samples.ts"
import { writeFlac } from "../../main/host/media/audio.ts"
import { PagePack, stretches } from "../page.ts"
import { distance, silentShare, spectrogram, type Tones, tones } from "./spectrum.ts"

/**
 * Regenerates the sound pack's README.md, spectrograms.png and samples: `npx tsx native-models/audio/report.ts
 * [FOLDER]`. It needs the held-out clips that training/render.py makes and Debian's flac and xz-utils, and takes some
 * twenty minutes. Samples are the first seeds, continuations the first held-out clips in their order: nothing is picked.
 */
const folder = resolve(process.argv[2] ?? fileURLToPath(new URL(".", import.meta.url)))
const held = fileURLToPath(new URL("../training/build/sound/heldout", import.meta.url))
const page = new PagePack(folder)
const { pack, sampling } = page
const media = soundOf(pack)
if (!media) throw new Error(`${folder} is no sound pack`)
const { rate, styles } = media
const second = secondBytes(media)
const samplesOf = (bytes: Uint8Array) => decodeSamples(bytes, media)
/** Clips a style that are scored, and made to be measured. */
const [SCORED, MADE] = [10, 4]

/** The first held-out clips of a style, four seconds each (NumPy's format 1.0: 10 bytes, header, data). */
function clips(style: string): Uint8Array<ArrayBuffer>[] {
  const file = readFileSync(join(held, `${style}.npy`))
  const start = 10 + file.readUInt16LE(8)
  const shape = /\((\d+), (\d+)\)/.exec(file.toString("latin1", 10, start))
  const [count = 0, length = 0] = (shape?.slice(1) ?? []).map(Number)
  return Array.from({ length: Math.min(count, SCORED) }, (_, i) =>
    Uint8Array.from(file.subarray(start + i * length, start + (i + 1) * length)),
  )
}

/** Bytes of a clip under each codec: as the 16-bit samples that it stands for, and as its bytes. */
function codecs(bytes: Uint8Array): { flac16: number; flac8: number; xz: number } {
  const flac = (raw: Uint8Array, bps: number) => {
    const form = ["--force-raw-format", "--endian=little", "--sign=signed", "--channels=1", `--bps=${bps}`]
    const quiet = ["-8", "-s", "-c", "--no-padding", "--no-seektable", `--sample-rate=${rate}`]
    return execFileSync("flac", [...quiet, ...form, "-"], { input: raw, stdio: ["pipe", "pipe", "ignore"] }).length
  }
  const pcm = Int16Array.from(samplesOf(bytes), toInt16)
  return {
    flac16: flac(new Uint8Array(pcm.buffer), 16),
    flac8: flac(
      bytes.map((b) => (b + 128) & 255),
      8,
    ),
    xz: execFileSync("xz", ["-9e", "-c"], { input: bytes }).length,
  }
}

const names = styles.slice(1)
const music = names.filter((name) => name !== "speech")
const rows: string[] = []
const mean = { model: 0, exact: 0, flac16: 0, flac8: 0, xz: 0 }
for (const name of names) {
  const sum = { model: 0, exact: 0, flac16: 0, flac8: 0, xz: 0 }
  const found = clips(name)
  for (const clip of found) {
    const per = found.length * clip.length
    sum.model += (await page.bitsOf(clip, "int8")) / per
    sum.exact += (await page.bitsOf(clip, "fp32")) / per
    for (const [codec, size] of Object.entries(codecs(clip)) as ["flac16" | "flac8" | "xz", number][])
      sum[codec] += (8 * size) / per
  }
  for (const key of Object.keys(mean) as (keyof typeof mean)[]) mean[key] += sum[key] / names.length
  rows.push(row(`${name} (${found.length} clips)`, sum))
  console.log(rows.at(-1))
}
rows.push(row("mean", mean))

function row(name: string, s: typeof mean): string {
  const share = (x: number) => `${Math.round((100 * s.model) / x)} %`
  const figures = [s.flac16, s.flac8, s.xz].map((x) => x.toFixed(2))
  return `| ${name} | **${s.model.toFixed(3)}** | ${figures.join(" | ")} | **${share(s.flac16)}** | **${share(s.flac8)}** |`
}

/** What can be heard, in numbers: of samples and of held-out clips of a style. */
type Heard = Tones & { silent: number; clipped: number }
function hear(sounds: Uint8Array[]): Heard {
  const one = sounds.map((bytes) => {
    const samples = samplesOf(bytes)
    const clipped = bytes.filter((b) => b === 0 || b === 255).length / bytes.length
    return { ...tones(samples, rate), silent: silentShare(samples, rate), clipped }
  })
  const average = (of: (h: Heard) => number) => one.reduce((sum, h) => sum + of(h), 0) / one.length
  return {
    onGrid: average((h) => h.onGrid),
    classes: Array.from({ length: 12 }, (_, i) => average((h) => h.classes[i] ?? 0)),
    silent: average((h) => h.silent),
    clipped: average((h) => h.clipped),
  }
}

const percent = (x: number) => `${(100 * x).toFixed(x < 0.01 ? 2 : 0)} %`
const heardRows: string[] = []
/** Energy on the grid as a share of the held-out clips', a music style each. */
const gridShares: number[] = []
const shown: { title: string; bytes: Uint8Array }[] = []
for (const name of names) {
  const made = await page.generate({ seed: 1, variations: MADE, length: 4 * second, style: styles.indexOf(name) })
  if (made[0]) shown.push({ title: `${name}, seed 1`, bytes: made[0] })
  const [sample, truth] = [hear(made), hear(clips(name))]
  // How far two halves of the true clips are apart is what a perfect model would show.
  const halves = [0, 1].map((half) => hear(clips(name).filter((_, i) => i % 2 === half)).classes)
  const isMusic = music.includes(name)
  if (isMusic) gridShares.push(sample.onGrid / truth.onGrid)
  const pair = (a: number, b: number) => `${percent(a)} / ${percent(b)}`
  const grid = isMusic ? pair(sample.onGrid, truth.onGrid) : ""
  const classes = isMusic
    ? `${distance(sample.classes, truth.classes).toFixed(2)} / ${distance(halves[0] ?? [], halves[1] ?? []).toFixed(2)}`
    : ""
  heardRows.push(
    `| ${name} | ${grid} | ${classes} | ${pair(sample.silent, truth.silent)} | ${pair(sample.clipped, truth.clipped)} |`,
  )
  console.log(heardRows.at(-1))
}
for (const seed of [2, 3]) {
  const [made] = await page.generate({ seed, length: 4 * second })
  if (made) shown.push({ title: `any style, seed ${seed}`, bytes: made })
}

// A held-out clip, its first half and what the pack makes of that.
const pairs: { title: string; truth: Uint8Array; made: Uint8Array }[] = []
for (const [i, name] of [...names, ...names.slice(0, 2)].entries()) {
  const truth = clips(name)[Math.floor(i / names.length)] ?? new Uint8Array()
  const [made] = await page.generate({ seed: i + 1, length: 2 * second, given: truth.subarray(0, 2 * second) })
  if (made) pairs.push({ title: name, truth, made })
}

const [WIDTH, HEIGHT, GAP] = [330, 110, 26]
const layers = await Promise.all(
  [
    ...shown.map((s, i) => ({ ...s, x: 0, y: i })),
    ...pairs.flatMap(({ title, truth, made }, i) => [
      { title: `held out: ${title}`, bytes: truth, x: 1, y: i },
      { title: "its second half made anew", bytes: made, x: 2, y: i },
    ]),
  ].map(async ({ title, bytes, x, y }) => {
    const pixels = spectrogram(samplesOf(bytes), WIDTH, HEIGHT)
    const raw = { raw: { width: WIDTH, height: HEIGHT, channels: 3 as const } }
    const caption = `<svg width="${WIDTH}" height="20"><text x="0" y="15" font-family="sans-serif" font-size="13" fill="#333">${title}</text></svg>`
    const [left, top] = [GAP + x * (WIDTH + GAP), GAP + y * (HEIGHT + GAP)]
    return [
      { input: await sharp(pixels, raw).png().toBuffer(), left, top },
      { input: Buffer.from(caption), left, top: top - 20 },
    ]
  }),
)
const sheet = { width: GAP + 3 * (WIDTH + GAP), height: GAP + 8 * (HEIGHT + GAP), channels: 3 as const }
await sharp({ create: { ...sheet, background: "#ffffff" } })
  .composite(layers.flat())
  .png({ palette: true, compressionLevel: 9 })
  .toFile(join(folder, "spectrograms.png"))
const settings = { pack: pack.name, length: 4 * second, seed: 1, variations: 1, sampling, style: 0 }
const listen: string[] = []
for (const [i, { title, bytes }] of shown.entries()) {
  const name = `sample-${i + 1}.flac`
  writeFileSync(join(folder, name), await writeFlac(samplesOf(bytes), rate, settings))
  listen.push(`[${title}](${name})`)
}

const onGrid = gridShares.reduce((sum, share) => sum + share, 0) / gridShares.length
const verdict =
  onGrid < 0.8
    ? "\nFrom nothing this pack does not make music yet: much of the energy of its samples is off the grid, where that of the clips is on it.\n"
    : ""
const readme = `# ${pack.title}

${pack.data}. License: ${pack.license}.

${(pack.parameters / 1e6).toFixed(1)} million parameters, ${(statSync(join(folder, "weights.safetensors")).size / 1e6).toFixed(1)} MB; ${rate / 1000} kHz, a mu-law byte a sample; trained for ${stretches(pack.training)}. This page is written by \`npx tsx native-models/audio/report.ts\`.

## Held-out bits per byte

On four-second clips of pieces and recordings the model never saw, each on its own, style left open, as it ships (8 bits). FLAC at its slowest (-8), once on the 16-bit samples that the bytes stand for (what a person would store), once on the bytes themselves taken as 8-bit samples (what suits it better); xz -9e on the bytes.

| clips | this pack | FLAC, 16 bit | FLAC, 8 bit | xz | share of FLAC, 16 bit | of FLAC, 8 bit |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join("\n")}

The 8-bit form costs ${(mean.model - mean.exact).toFixed(4)} bits a byte against fp32.

## Is it music?

${MADE} samples of four seconds a style (seed 1) beside the held-out clips: sample / held out. Energy on the grid: peaks between 110 and 1760 Hz within 25 cents of the twelve-tone scale (of noise 50 %). Pitch classes: distance of the mean histograms (0 the same, 1 nothing in common), beside that of two halves of the held-out clips.

| style | energy on the grid | pitch classes | silence | clipping |
| --- | --- | --- | --- | --- |
${heardRows.join("\n")}
${verdict}

## Listen and look

${listen.join(" · ")}

Left the samples, then held-out clips beside what the pack makes of their first two seconds. Nothing picked. 0 to ${rate / 2000} kHz upwards, four seconds across.

![Spectrograms](spectrograms.png)

![Loss](loss.png)
`
writeFileSync(join(folder, "README.md"), readme)
page.close()
