import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, it } from "vitest"
import { canvasBytes, canvasOf } from "../../contract/pack.ts"
import { fakeEngine, patchOf, startedWith } from "../../test/support/fake-engine.ts"
import { openWindow } from "../../test/support/window.ts"
import { readPack } from "../packs/read.ts"
import { Studio } from "./studio.ts"

const home = mkdtempSync(join(tmpdir(), "megabyte-blank-"))
afterAll(() => rmSync(home, { recursive: true, force: true }))
const shipped = join(import.meta.dirname, "../../test/parity")
const canvas = canvasOf(readPack(join(shipped, "picture")))
const size = canvas ? canvasBytes(canvas) : 0

/** An engine that makes the same byte over and over, up to a seed. */
const flawedUntil = (seed: number) => () =>
  fakeEngine(() => ({
    generate: (request, { emit }) => {
      const worthy = (b: number) => request.seed + b >= seed
      emit(startedWith(request))
      emit(
        patchOf(request, (b) => new Uint8Array(request.length).map((_, i) => (worthy(b) ? 40 + ((i * i) % 83) : 64))),
      )
      return { reason: "length", decodeMs: 1 }
    },
  }))

/** What becomes of two futures of a pack's, made with an engine whose seeds below 12 are worthless. */
async function made(pack: string, length: number, temperature = 1, given = "") {
  const studio = new Studio({ shipped, home, cache: join(home, "cache") }, flawedUntil(12))
  const { call, of } = openWindow(studio)
  const sampling = { temperature, topP: 1, topK: 0, minP: 0 }
  const settings = { pack, length, seed: 10, variations: 2, sampling, style: 0 }
  await call("generate", { settings, given: Buffer.from(given) })
  studio.close()
  const notices = of("notice").map(({ text }) => text)
  const items = new Map(of("item").map(({ item }) => [item.id, item]))
  return { notices, items: [...items.values()].map((item) => [item.status, item.settings.seed, item.bytes]) }
}
const twice = (word: string) =>
  [11, 12, 11, 12].map((seed) => `One came out ${word}; it is made again with seed ${seed}.`)

it("a blank picture is made again with the next seeds, and keeps the one that gave something (B2)", async () => {
  expect(await made("parity-picture", size)).toEqual({
    notices: twice("blank"),
    items: [
      ["done", 12, size],
      ["done", 12, size],
    ],
  })
})

it("so is a silent sound, and a text that repeats itself (H23)", async () => {
  const sound = await made("parity-sound", 16000)
  expect(sound.notices).toEqual(twice("silent"))
  expect(sound.items.map(([, seed]) => seed)).toEqual([12, 12])
  const text = await made("parity-story", 400)
  expect(text.notices).toEqual(twice("repeating itself"))
})

it("nothing is made again where the next seed would make the same, or more of the same was asked for", async () => {
  expect((await made("parity-story", 400, 0)).notices).toEqual([])
  expect((await made("parity-story", 400, 1, "@".repeat(40))).notices).toEqual([])
})
