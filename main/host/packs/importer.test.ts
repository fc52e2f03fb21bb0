import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, it } from "vitest"
import { readPack } from "../../packs/read.ts"
import { Importer } from "./importer.ts"

const home = mkdtempSync(join(tmpdir(), "megabyte-importer-"))
afterAll(() => rmSync(home, { recursive: true, force: true }))
const places = { shipped: join(home, "none"), home, cache: join(home, "cache") }
const tests = join(import.meta.dirname, "../../../test")

it("packs are checked and made outside of the app's own process, one after the other", async () => {
  const importer = new Importer(places)
  let turns = 0
  const count = setInterval(() => turns++, 1)
  const names = await Promise.all([
    importer.importWeights(join(tests, "import/megabyte-positions.pt"), "mine.pt", {}),
    importer.importPack(join(tests, "parity/story")),
  ])
  clearInterval(count)
  expect(turns).toBeGreaterThan(0)
  expect(names).toEqual(["mine", "parity-story"])
  for (const name of names) expect(readPack(join(home, "packs", name)).name).toBe(name)
})

it("what is no pack is refused in a line, and nothing of it stays", async () => {
  const importer = new Importer(places)
  const before = existsSync(join(home, "packs")) ? readdirSync(join(home, "packs")) : []
  const none = importer.importWeights(join(tests, "import/fixtures.py"), "fixtures.pt", {})
  await expect(none).rejects.toMatchObject({
    code: "refused",
    message: expect.stringMatching(/^fixtures\.pt was not imported\. /),
  })
  await expect(importer.importPack(home)).rejects.toThrow(/^There is no model pack in /)
  expect(existsSync(join(home, "packs")) ? readdirSync(join(home, "packs")) : []).toEqual(before)
})

it("one that ends its process is refused, and the next one is tried all the same", async () => {
  let tries = 0
  const importer = new Importer(places, () => {
    tries++
    return { send() {}, onMessage() {}, onExit: (listener) => listener(137, "SIGKILL"), kill() {} }
  })
  const both = await Promise.allSettled([importer.importPack(home), importer.importPack(home)])
  for (const one of both)
    expect(one).toMatchObject({ reason: { message: expect.stringMatching(/^The pack was not imported: /) } })
  expect(tries).toBe(2)
})
