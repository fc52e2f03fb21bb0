import { expect, it } from "vitest"
import { fakeHost } from "../../test/support/host.ts"
import { createStudio } from "./store.ts"

const canvas = {
  width: 4,
  height: 2,
  palette: ["#ffffff", "#000000"],
  transparent: 0,
  columns: true,
  styles: ["any", "face"],
  header: 0,
}
const packs = [
  {
    ...{
      name: "pixels",
      title: "Pixels",
      modality: "image" as const,
      canvas,
      media: canvas,
      patch: 2,
      license: "",
      data: "",
    },
    ...{ parameters: 1, sizeBytes: 1, bitsPerByte: 1, shipped: true },
  },
]

it("goes on from the columns that are kept of a picture, eight at once, and says how they are read", () => {
  const { host, asked } = fakeHost()
  const { actions } = createStudio(host)
  actions.receive({ type: "packs", packs })
  const document = crypto.randomUUID()
  const bytes = Uint8Array.from([0, 1, 2, 3, 4, 5, 6, 7])
  actions.receive({ type: "opened", name: "a.png", pack: "pixels", modality: "image", bytes, note: "", document })
  actions.setDraft({ media: { bytes, kept: 4, columns: true } })
  actions.makeEight()
  const [command] = asked("generate")
  expect(command?.settings).toMatchObject({ variations: 8, columns: true })
  // The host has the picture, and takes its columns.
  expect(command?.given).toEqual({ document, length: 4 })
})
