import { execFileSync } from "node:child_process"
import { readFileSync, statSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import sharp from "sharp"
import { canvasBytes, canvasOf } from "../../contract/pack.ts"
import { PagePack, stretches } from "../page.ts"

/**
 * Regenerates an image pack's README.md, samples.png and completions.png: `npx tsx native-models/image/report.ts
 * [FOLDER]`. It needs ../shared/data and Debian's optipng and libjxl-tools, and takes some minutes. Samples are the
 * first 64 seeds, completions the first held-out pictures in their order: nothing is picked.
 */
const folder = resolve(process.argv[2] ?? fileURLToPath(new URL(".", import.meta.url)))
const held = fileURLToPath(new URL("../../../shared/data/heldout/image", import.meta.url))
const page = new PagePack(folder)
const { pack, sampling, work } = page
const canvas = canvasOf(pack)
if (!canvas) throw new Error(`${folder} is no image pack`)
const { width, height } = canvas
const size = canvasBytes(canvas)
const raw = { raw: { width, height, channels: 3 as const } }

/** Pictures of a held-out set on the canvas; emoji are halved as in training: the mean of 2 x 2, half up. */
function heldOut(name: string): Uint8Array<ArrayBuffer>[] {
  const { shape } = JSON.parse(readFileSync(join(held, `${name}.json`), "utf8")) as { shape: number[] }
  const [count = 0, h = 0, w = 0] = shape
  const pixels = readFileSync(join(held, `${name}.rgb`))
  return Array.from({ length: count }, (_, n) => {
    const whole = Uint8Array.from(pixels.subarray(n * h * w * 3, (n + 1) * h * w * 3))
    if (h === height && w === width) return whole
    if (h !== 2 * height || w !== 2 * width) throw new Error(`${name} is ${w}x${h}`)
    const half = new Uint8Array(size)
    for (let i = 0; i < size; i++) {
      const [c, x, y] = [i % 3, Math.floor(i / 3) % width, Math.floor(i / 3 / width)]
      const at = (dx: number, dy: number) => whole[((2 * y + dy) * w + 2 * x + dx) * 3 + c] as number
      half[i] = (at(0, 0) + at(1, 0) + at(0, 1) + at(1, 1) + 2) >> 2
    }
    return half
  })
}

/** Pictures side by side, enlarged thrice, a few pixels apart. */
async function sheet(pictures: Uint8Array[], columns: number, path: string): Promise<void> {
  const [cell, gap] = [width * 3, 6]
  const composite = await Promise.all(
    pictures.map(async (bytes, i) => ({
      input: await sharp(bytes, raw).resize(cell, cell, { kernel: "nearest" }).png().toBuffer(),
      left: gap + (i % columns) * (cell + gap),
      top: gap + Math.floor(i / columns) * (cell + gap),
    })),
  )
  const rows = Math.ceil(pictures.length / columns)
  const background = "#e8eaef"
  const all = {
    width: gap + columns * (cell + gap),
    height: gap + rows * (cell + gap),
    channels: 3 as const,
    background,
  }
  await sharp({ create: all }).composite(composite).png({ palette: true, compressionLevel: 9 }).toFile(path)
}

/** Bytes of a picture under each codec, at its slowest lossless setting. */
async function codecs(bytes: Uint8Array): Promise<Record<string, number>> {
  const png = join(work, "picture.png")
  await sharp(bytes, raw).png({ compressionLevel: 9 }).toFile(png)
  execFileSync("optipng", ["-quiet", "-o7", "-strip", "all", png])
  execFileSync("cjxl", [png, join(work, "picture.jxl"), "-d", "0", "-e", "9", "--quiet"], { stdio: "ignore" })
  return {
    PNG: statSync(png).size,
    WebP: (await sharp(bytes, raw).webp({ lossless: true, effort: 6, quality: 100 }).toBuffer()).length,
    "JPEG XL": statSync(join(work, "picture.jxl")).size,
  }
}

const rows: string[] = []
const lost: string[] = []
const sets = Object.keys(pack.heldOut.files)
for (const name of sets) {
  const pictures = heldOut(name)
  const totals: Record<string, number> = {}
  let [model, exact] = [0, 0]
  for (const picture of pictures) {
    model += await page.bitsOf(picture, "int8")
    exact += await page.bitsOf(picture, "fp32")
    for (const [codec, bytes] of Object.entries(await codecs(picture))) totals[codec] = (totals[codec] ?? 0) + 8 * bytes
  }
  const per = (bits = 0) => (bits / pictures.length / size).toFixed(3)
  const share = Math.round((100 * model) / (totals.WebP ?? 1))
  rows.push(
    `| ${name} (${pictures.length}) | **${per(model)}** | ${per(totals.PNG)} | ${per(totals.WebP)} | ${per(totals["JPEG XL"])} | **${share} %** |`,
  )
  lost.push(`${name} ${((model - exact) / pictures.length / size).toFixed(4)}`)
  console.log(rows.at(-1))
}

const samples: Uint8Array[] = []
for (let seed = 1; seed <= 64; seed++) samples.push(...(await page.generate({ seed })))
await sheet(samples, 8, join(folder, "samples.png"))

// Each held-out picture, its upper half and what the pack makes of that: three in a row.
const triples: Uint8Array[] = []
const each = Math.floor(32 / sets.length)
for (const name of sets)
  for (const [i, picture] of heldOut(name).slice(0, each).entries()) {
    const [made = picture] = await page.generate({ seed: i + 1, given: picture.slice(0, size / 2) })
    triples.push(
      picture,
      new Uint8Array(size).fill(232).map((v, at) => (at < size / 2 ? (picture[at] as number) : v)),
      made,
    )
  }
await sheet(triples, 12, join(folder, "completions.png"))

const styled: Uint8Array[] = []
for (let style = 1; style < canvas.styles.length; style++)
  styled.push(...(await page.generate({ seed: style, variations: 8, style })))
await sheet(styled, 8, join(folder, "styles.png"))

const readme = `# ${pack.title}

${pack.data}. License: ${pack.license}.

${(pack.parameters / 1e6).toFixed(1)} million parameters, ${(statSync(join(folder, "weights.safetensors")).size / 1e6).toFixed(1)} MB; trained for ${stretches(pack.training)}. This page is written by \`npx tsx native-models/image/report.ts${process.argv[2] ? ` ${process.argv[2]}` : ""}\`.

## Held-out bits per dimension

On pictures the model never saw, ${width}x${height} (emoji halved from 64x64), its style left open, as it ships (8 bits); the codecs on the same pictures, each at its slowest lossless setting, file headers included.

| pictures | this pack | PNG (optipng -o7) | WebP (lossless, method 6) | JPEG XL (effort 9) | share of WebP |
| --- | --- | --- | --- | --- | --- |
${rows.join("\n")}

The 8-bit form costs ${lost.join(", ")} bits per dimension against fp32.

## Samples

Seeds 1 to 64, nothing picked, no style chosen, temperature ${sampling.temperature}, top-p ${sampling.topP}:

![64 samples](samples.png)

Eight of each style (${canvas.styles.slice(1).join(", ")}), one row a style:

![Styles](styles.png)

## Completions

Three by three: the held-out picture, the half that was given, what the pack made of it (the first ${each} of each set, nothing picked):

![Completions](completions.png)

![Loss](loss.png)
`
writeFileSync(join(folder, "README.md"), readme)
page.close()
