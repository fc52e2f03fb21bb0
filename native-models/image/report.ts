import { execFileSync } from "node:child_process"
import { statSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import sharp from "sharp"
import { z } from "zod"
import { byColumns, canvasBytes, canvasOf } from "../../contract/pack.ts"
import type { Sampling } from "../../contract/sampling.ts"
import { writePng } from "../../main/host/media/image.ts"
import { PagePack, stretches } from "../page.ts"

/**
 * Regenerates the picture pack's README.md and its sheets: `npx tsx native-models/image/report.ts [FOLDER]`, or measures
 * ways of sampling for its defaults: `... report.ts FOLDER sampling`. It needs ../shared/data, xz, and PYTHON (or
 * python3) with training/requirements.txt. Samples are the first seeds, completions the first held-out pictures: nothing
 * is picked.
 */
const folder = resolve(process.argv[2] ?? fileURLToPath(new URL(".", import.meta.url)))
const here = fileURLToPath(new URL(".", import.meta.url))
const held = join(here, "../../../shared/data/heldout/image")
const page = new PagePack(folder)
const { pack, sampling } = page
const canvas = canvasOf(pack)
if (!canvas?.palette) throw new Error(`${folder} is no pack of indexed pictures`)
const { width, height, styles } = canvas
const size = canvasBytes(canvas)
const EACH = 8
const COMPLETIONS = 48
/** Held-out pictures that are scored in fp32 too. */
const COMPARED = 50

const Verdict = z.object({
  heldOut: z.record(z.string(), z.number()),
  agreed: z.record(z.string(), z.number()),
  right: z.number(),
  agreement: z.number(),
  ofRight: z.number(),
  empty: z.number(),
  copies: z.number(),
  nearest: z.array(z.object({ share: z.number(), picture: z.array(z.number()) })),
  colors: z.number(),
  heldOutColors: z.number(),
})

/** Eight pictures of each style, the style's number as their seed. */
async function samples(by: Sampling = sampling): Promise<{ pictures: Uint8Array[]; wanted: string[] }> {
  const pictures: Uint8Array[] = []
  for (let style = 1; style < styles.length; style++)
    for (let half = 0; half < EACH; half += 4)
      pictures.push(...(await page.generate({ seed: 100 * style + half, variations: 4, style, sampling: by })))
  return { pictures, wanted: styles.slice(1).flatMap((name) => new Array<string>(EACH).fill(name)) }
}

/** What training/judge_pictures.py says of pictures. */
function judged({ pictures, wanted }: Awaited<ReturnType<typeof samples>>) {
  const path = join(page.work, "samples.json")
  writeFileSync(path, JSON.stringify({ styles: wanted, pictures: Buffer.concat(pictures).toString("base64") }))
  const judge = join(here, "../training/judge_pictures.py")
  return Verdict.parse(
    JSON.parse(execFileSync(process.env.PYTHON ?? "python3", [judge, path], { maxBuffer: 2 ** 26 }).toString()),
  )
}

/** Held-out pictures in their order, as indices. */
function heldOut(): Uint8Array<ArrayBuffer>[] {
  const all = execFileSync("xz", ["-dc", join(held, "icons.bin.xz")], { maxBuffer: 2 ** 26 })
  return Array.from({ length: all.length / size }, (_, i) => Uint8Array.from(all.subarray(i * size, (i + 1) * size)))
}

const png = (bytes: Uint8Array, enlarge = 1) => writePng(bytes, canvas, enlarge)

/** Pictures side by side on white, enlarged twice, a few pixels apart. */
async function sheet(pictures: Uint8Array[], columns: number, name: string): Promise<void> {
  const [cell, gap] = [width * 2, 6]
  const composite = await Promise.all(
    pictures.map(async (bytes, i) => ({
      input: await sharp(await png(bytes, 2))
        .flatten({ background: "#ffffff" })
        .png()
        .toBuffer(),
      left: gap + (i % columns) * (cell + gap),
      top: gap + Math.floor(i / columns) * (cell + gap),
    })),
  )
  const rows = Math.ceil(pictures.length / columns)
  const create = {
    width: gap + columns * (cell + gap),
    height: gap + rows * (cell + gap),
    channels: 3 as const,
    background: "#e8eaef",
  }
  await sharp({ create }).composite(composite).png({ palette: true, compressionLevel: 9 }).toFile(join(folder, name))
}

const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
const percent = (share: number) => `${(100 * share).toFixed(1)} %`

/** Ways of sampling beside each other, for the defaults and their ranges. */
async function measureSampling(): Promise<void> {
  const ways: Partial<Sampling>[] = [
    {},
    { temperature: 0.9 },
    { temperature: 1.1 },
    { guidance: 1.5 },
    { guidance: 2 },
    { guidance: 1.5, minP: 0.01 },
    { guidance: 1.5, temperature: 0.95 },
    { guidance: 1.5, temperature: 0.9 },
    { guidance: 2, temperature: 0.95 },
    { guidance: 2, temperature: 0.9 },
    { guidance: 2.5, temperature: 0.85 },
  ]
  for (const way of ways) {
    const verdict = judged(await samples({ temperature: 1, topP: 1, topK: 0, minP: 0, ...way }))
    const { agreement, ofRight, empty, copies, colors } = verdict
    console.log(
      JSON.stringify(way),
      `agrees ${percent(agreement)} (${percent(ofRight)} of right), empty ${percent(empty)}, copies ${percent(copies)}, colors ${colors.toFixed(1)}`,
    )
  }
}

/** Bits a pixel of the held-out pictures under other codecs, file headers included; xz packs all of them in one. */
async function codecs(pictures: Uint8Array[]): Promise<Record<string, number>> {
  const all = join(page.work, "all.bin")
  writeFileSync(all, Buffer.concat(pictures))
  const xz = execFileSync("xz", ["-9e", "-c", all], { maxBuffer: 2 ** 26 }).length
  let [webp, indexed] = [0, 0]
  for (const picture of pictures) {
    const file = await png(picture)
    indexed += (await sharp(file).png({ palette: true, compressionLevel: 9, effort: 10 }).toBuffer()).length
    webp += (await sharp(file).webp({ lossless: true, effort: 6, quality: 100 }).toBuffer()).length
  }
  const bits = (bytes: number) => (8 * bytes) / pictures.length / size
  return { "xz of all in one": bits(xz), "WebP, lossless": bits(webp), "PNG, indexed": bits(indexed) }
}

/** Each held-out picture, what was given of it and what the pack made of that; every other one by columns. */
async function completions(pictures: Uint8Array<ArrayBuffer>[]): Promise<void> {
  const triples: Uint8Array[] = []
  for (const [i, picture] of pictures.slice(0, COMPLETIONS).entries()) {
    const columns = i % 2 === 1
    const read = columns ? byColumns(picture, canvas as NonNullable<typeof canvas>) : picture
    const given = read.slice(0, size / 2)
    const [made = read] = await page.generate({ seed: i + 1, given, columns })
    const upright = (bytes: Uint8Array) => (columns ? byColumns(bytes, canvas as NonNullable<typeof canvas>) : bytes)
    const half = new Uint8Array(size).fill(canvas?.transparent ?? 0)
    half.set(given)
    triples.push(picture, upright(half), upright(made))
  }
  await sheet(triples, 12, "completions.png")
}

/** Seconds of four pictures from a warm start, the median of five. */
async function speed(): Promise<number> {
  const seconds: number[] = []
  for (let round = 0; round < 6; round++) {
    const began = performance.now()
    await page.generate({ seed: round, variations: 4, style: 1 })
    seconds.push((performance.now() - began) / 1000)
  }
  return median(seconds.slice(1))
}

async function writePage(): Promise<void> {
  const four = await speed()
  const pictures = heldOut()
  const shipped: number[] = []
  for (const picture of pictures) shipped.push(await page.bitsOf(picture, "int8"))
  const some = pictures.slice(0, COMPARED)
  const exact: number[] = []
  for (const picture of some) exact.push(await page.bitsOf(picture, "fp32"))
  const perPixel = (bits: number[]) => mean(bits) / size
  const lost = perPixel(shipped.slice(0, COMPARED)) - perPixel(exact)
  const others = await codecs(pictures)
  console.log(`bits a pixel ${perPixel(shipped).toFixed(4)}, 8 bits cost ${lost.toFixed(4)}`, others)

  const made = await samples()
  await sheet(made.pictures, EACH * 2, "samples.png")
  const verdict = judged(made)
  const { heldOut: known, agreed } = verdict
  console.log(JSON.stringify({ ...verdict, nearest: verdict.nearest.map(({ share }) => share) }))
  await sheet(
    verdict.nearest
      .slice(0, 16)
      .flatMap(({ picture }, i) => [made.pictures[EACH * i] as Uint8Array, Uint8Array.from(picture)]),
    8,
    "nearest.png",
  )
  await completions(pictures)

  const weights = statSync(join(folder, "weights.safetensors")).size / 1e6
  const mostOften = mean(verdict.nearest.map(({ share }) => share))
  writeFileSync(
    join(folder, "README.md"),
    `# ${pack.title}

Pictures of ${width}x${height} pixels, each one of ${canvas?.palette?.length} named colors. ${(pack.parameters / 1e6).toFixed(1)} million parameters, ${weights.toFixed(1)} MB; trained for ${stretches(pack.training)}. This page is written by \`npx tsx native-models/image/report.ts\`.

## Held-out bits a pixel

On ${pictures.length} pictures the model never saw, their style left open, as it ships (8 bits).

| this pack | ${Object.keys(others).join(" | ")} |
| --- | ${Object.keys(others)
      .map(() => "---")
      .join(" | ")} |
| **${perPixel(shipped).toFixed(3)}** | ${Object.values(others)
      .map((bits) => bits.toFixed(3))
      .join(" | ")} |

A context mixer takes 0.47 (goal: 0.36). The 8-bit form costs ${lost.toFixed(4)} against fp32 on the first ${COMPARED} of them.

## Samples

${EACH} of each style, nothing picked, temperature ${sampling.temperature}, top-p ${sampling.topP}, min-p ${sampling.minP}, guidance ${sampling.guidance ?? 1}; two styles a row: ${styles.slice(1).join(", ")}.

![Samples](samples.png)

| measure | | goal |
| --- | --- | --- |
| a classifier of the training pictures agrees with the style, of the cases in which it is right on held-out ones | ${percent(verdict.ofRight)} (${percent(verdict.agreement)} of ${percent(verdict.right)}) | 80 % |
| blank or nearly blank | ${percent(verdict.empty)} | 1 % |
| equal to a training picture in more than 95 % of the pixels off the ground | ${percent(verdict.copies)} | 5 % |
| colors a picture (held out ${verdict.heldOutColors.toFixed(1)}) | ${verdict.colors.toFixed(1)} | |
| four pictures from a warm start, on this machine | ${four.toFixed(2)} s (the old pack of RGB pictures: 2.04 s) | 2 s |

| style | classifier agrees | right on held-out ones |
| --- | --- | --- |
${Object.entries(agreed)
  .map(
    ([name, share]) =>
      `| ${name} | ${percent(share)} | ${known[name] === undefined ? "none held out" : percent(known[name])} |`,
  )
  .join("\n")}

The first of each style beside the training picture that is most like it (mirrored ones count too; in the mean ${percent(mostOften)} of the pixels off the ground are the same):

![Nearest training pictures](nearest.png)

## Completions

Three by three: the held-out picture, the half that was given (the upper one and the left one in turn), what the pack made of it; the first ${COMPLETIONS}, nothing picked:

![Completions](completions.png)

## Whose pictures it learned from

${pack.data}

License of the weights: ${pack.license}.

![Loss](loss.png)
`,
  )
}

try {
  await (process.argv[3] === "sampling" ? measureSampling() : writePage())
} finally {
  page.close()
}
