import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, it } from "vitest"
import { fakeEngine, patchOf, startedWith } from "../../test/support/fake-engine.ts"
import { openWindow } from "../../test/support/window.ts"
import { Studio } from "./studio.ts"

const home = mkdtempSync(join(tmpdir(), "megabyte-title-"))
afterAll(() => rmSync(home, { recursive: true, force: true }))
const shipped = join(import.meta.dirname, "../../test/parity")

/** An engine that writes `text`. */
const writing = (text: string) => () =>
  fakeEngine(() => ({
    generate: (request, { emit }) => {
      emit(startedWith(request))
      emit(patchOf(request, () => new TextEncoder().encode(text)))
      return { reason: "end", decodeMs: 1 }
    },
  }))

/** The name that a story goes by. */
async function named(text: string, given = ""): Promise<string | undefined> {
  const studio = new Studio({ shipped, home, cache: join(home, "cache") }, writing(text))
  const { call, of } = openWindow(studio)
  const sampling = { temperature: 1, topP: 1, topK: 0, minP: 0 }
  const settings = { pack: "parity-story", length: 60, seed: 1, variations: 1, sampling, style: 0 }
  await call("generate", { settings, given: Buffer.from(given) })
  studio.close()
  return of("item").at(-1)?.item.title
}

it("a story that is begun without a word goes by its own title", async () => {
  expect(await named("The Little Fox\n\nOnce upon a time there was a fox.")).toBe("The Little Fox")
})

it("one without a title has none, and a person's own words stay what they are", async () => {
  expect(await named("Once upon a time there was a fox.\n\nIt slept.")).toBe("Untitled")
  expect(await named("It slept.", "The Brave Goat\n\nOnce upon a time.")).toBe("The Brave Goat")
  expect(await named("A Title\n\nOnce", "My dear fox")).toBe("My dear fox")
})
