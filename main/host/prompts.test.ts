import { randomUUID } from "node:crypto"
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import sharp from "sharp"
import { afterEach, beforeEach, expect, it } from "vitest"
import { fakeEngine } from "../../test/support/fake-engine.ts"
import { openWindow } from "../../test/support/window.ts"
import { Studio } from "./studio.ts"

const parity = join(import.meta.dirname, "../../test/parity")
let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "megabyte-prompts-"))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

/** What the host answers to a file that is dropped while the pack `pack` is chosen. */
async function dropped(name: string, bytes: Uint8Array, pack: string, shipped = parity) {
  // The pack whose folder is "known" needs a bit a byte, any other four.
  const engine = () =>
    fakeEngine(() => ({
      probe: ({ pack }) => (pack ? { msPerPatch: 1 } : {}),
      score: async ({ pack, bytes }) => ({
        logprob: new Float32Array(bytes.length).fill(-Math.LN2 * (pack.endsWith("known") ? 1 : 4)),
        entropy: new Float32Array(bytes.length),
        scoreMs: 1,
      }),
    }))
  const studio = new Studio({ shipped, home, cache: join(home, "cache") }, engine)
  const { call } = openWindow(studio)
  const file = randomUUID()
  await call("upload", { file, offset: 0, bytes })
  const opened = await call("open", { name, pack, file })
  studio.close()
  return opened
}

it("a photo goes to the pack that needs the fewest bits for it, and to a pack that was chosen for it (H3)", async () => {
  const packs = join(home, "packs")
  for (const name of ["a-sprites", "known"]) {
    cpSync(join(parity, "picture"), join(packs, name), { recursive: true })
    const json = JSON.parse(readFileSync(join(packs, name, "pack.json"), "utf8"))
    writeFileSync(join(packs, name, "pack.json"), JSON.stringify({ ...json, name }))
  }
  const photo = await sharp({ create: { width: 60, height: 100, channels: 3, background: "#3a7" } })
    .png()
    .toBuffer()
  const none = join(home, "none")
  expect(await dropped("photo.png", photo, "text", none)).toMatchObject({ pack: "known" })
  expect(await dropped("photo.png", photo, "a-sprites", none)).toMatchObject({ pack: "a-sprites" })
})

it("what was only scored does not count as made here (H4)", async () => {
  const text = "Once upon a time"
  const sampling = { temperature: 1, topP: 1, topK: 0, minP: 0 }
  const settings = { pack: "parity-story", length: 60, seed: 7, variations: 1, sampling, style: 0 }
  const item = {
    ...{ id: "one", title: "One", created: 1, modality: "text", file: "output.txt", settings, variation: 0, given: 0 },
    ...{ bytes: text.length, bitsPerByte: 1, favourite: false, status: "done" },
  }
  const keep = (scored: boolean) => {
    mkdirSync(join(home, "library/one"), { recursive: true })
    writeFileSync(join(home, "library/one/output.txt"), text)
    writeFileSync(join(home, "library/one/item.json"), JSON.stringify({ ...item, scored }))
    return dropped("one.txt", Buffer.from(text), "parity-story")
  }
  expect(await keep(false)).toMatchObject({ settings: { seed: 7 } })
  expect(await keep(true)).not.toHaveProperty("settings")
})
