import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import sharp from "sharp"
import { forkMedia, MediaReader } from "../../main/host/media/client.ts"
import { readPack } from "../../main/packs/read.ts"
import { folder, isOver, isSentence, type Part, parity, root } from "./part.ts"
import { mutate } from "./random.ts"

/** Files as people have them, small. */
async function corpus(): Promise<{ name: string; bytes: Buffer }[]> {
  const walk = (path: string): string[] =>
    readdirSync(path, { withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? walk(join(path, entry.name)) : [join(path, entry.name)],
    )
  const files = [...walk(join(root, "test/cases")), ...walk(join(root, "test/sounds"))]
    .filter((path) => !path.endsWith(".ts") && statSync(path).size < 2 ** 18)
    .map((path) => ({ name: path.split("/").at(-1) ?? "", bytes: readFileSync(path) }))
  const picture = sharp({ create: { width: 48, height: 40, channels: 4, background: "#c0803080" } })
  const made = await Promise.all(
    (["png", "jpeg", "webp", "gif", "tiff", "avif"] as const).map(async (format) => ({
      name: `made.${format}`,
      bytes: await picture.clone().toFormat(format).toBuffer(),
    })),
  )
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><g><rect width="9" height="9"/></g></svg>`
  return [...files, ...made, { name: "made.svg", bytes: Buffer.from(drawing) }]
}

/** Mutated files are opened one after the other as a person would; the app must stay quick, and say one sentence. */
export const hostileFiles: Part = async (random, until) => {
  const work = folder("files")
  const path = join(work, "file")
  const seeds = await corpus()
  const packs = {
    image: readPack(parity("picture")),
    audio: readPack(parity("sound")),
    text: readPack(parity("modern")),
  }
  let [pid, peak, ends, slowest, blocked]: [number | undefined, number, number, number, number] = [
    undefined,
    0,
    0,
    0,
    0,
  ]
  const media = new MediaReader(() => {
    const port = forkMedia()
    pid = port.pid
    port.onExit(() => ends++)
    return port
  })
  let tick = performance.now()
  const ticks = setInterval(() => {
    blocked = Math.max(blocked, performance.now() - tick - 50)
    tick = performance.now()
  }, 50)
  const [faults, kinds] = [[] as string[], { read: 0, refused: 0 }]
  let count = 0
  while (!isOver(until) || count < 20) {
    const { name, bytes } = random.of(seeds)
    writeFileSync(path, mutate(bytes, random))
    const began = performance.now()
    try {
      const modality = await media.detect(name, path)
      await media.read(name, path, packs[modality])
      kinds.read++
    } catch (error) {
      kinds.refused++
      const { message } = error as Error
      if (!isSentence(message)) faults.push(`${name}: ${message}`)
    }
    slowest = Math.max(slowest, performance.now() - began)
    const status = pid && existsSync(`/proc/${pid}/status`) ? readFileSync(`/proc/${pid}/status`, "utf8") : ""
    peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0))
    count++
  }
  clearInterval(ticks)
  media.close()
  if (slowest > 35_000) faults.push(`a file took ${Math.round(slowest / 1000)} s`)
  if (blocked > 10_000) faults.push(`the app stood still for ${Math.round(blocked / 1000)} s`)
  if (peak > 1.2 * 2 ** 20) faults.push(`a file took ${Math.round(peak / 1024)} MB`)
  rmSync(work, { recursive: true, force: true })
  const details = `${kinds.read} read, ${kinds.refused} refused in one sentence; slowest ${(slowest / 1000).toFixed(1)} s, at most ${Math.round(peak / 1024)} MB, ${Math.max(0, ends - 1)} processes ended by a file, the app never blocked for more than ${(blocked / 1000).toFixed(1)} s`
  return { what: "hostile files", count, details, faults }
}
