import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { dropFiles, expect, test } from "./app.ts"
import { chooseModel, finished, folderOf, openSettings, prompt, setUp, share, violations } from "./steps.ts"

const parity = join(import.meta.dirname, "../parity/modern")
const packFiles = (weights = readFileSync(join(parity, "weights.safetensors"))) => [
  { name: "pack.json", bytes: readFileSync(join(parity, "pack.json")) },
  { name: "weights.safetensors", bytes: weights },
]

test("drop a pack to add it, make it the default, remove it", async ({ app }) => {
  const page = await app.open()
  await dropFiles(page, packFiles())
  await expect(page.getByText("The pack parity-modern was checked and is ready.")).toBeVisible()
  await page.getByRole("button", { name: "Models and preferences" }).click()
  const row = page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: /Random weights, modern/ }) })
  await expect(row).toContainText("none: random weights")
  await expect(row).toContainText("License: CC0-1.0")
  await expect(row).toContainText("not measured")
  expect(await violations(page)).toEqual([])
  await row.getByRole("button", { name: "Set as default" }).click()
  await expect(row.getByRole("button", { name: "Default" })).toHaveAttribute("aria-pressed", "true")
  await page.reload()
  await openSettings(page)
  await expect(page.getByRole("combobox", { name: "Model" })).toHaveValue("parity-modern")

  await page.getByRole("button", { name: "Models and preferences" }).click()
  await row.getByRole("button", { name: "Remove" }).click()
  await row.getByRole("button", { name: /Really remove/ }).click()
  await expect(row).toHaveCount(0)
  expect(readdirSync(join(app.home, "packs"))).toEqual([])
  await openSettings(page)
  await expect(page.getByRole("combobox", { name: "Model" })).not.toHaveValue("parity-modern")
})

test("drop another package's weights, say what they do not tell, and a pack is made of them", async ({ app }) => {
  const file = { name: "bgpt-text.pth", bytes: readFileSync(join(import.meta.dirname, "../import/bgpt-text.pth")) }
  const page = await app.open()
  await dropFiles(page, [file])
  const form = page.getByRole("form", { name: "Import bgpt-text.pth" })
  await form.getByLabel("Attention heads").fill("many")
  await form.getByRole("button", { name: "Import" }).click()
  await expect(form.getByRole("alert")).toContainText("Attention heads is not understood")
  await form.getByLabel("Attention heads").fill("1")
  await form.getByLabel("License of the weights").fill("MIT")
  expect(await violations(page)).toEqual([])
  await form.getByRole("button", { name: "Import" }).click()
  await expect(page.getByText("A pack was made of bgpt-text.pth: bgpt-text is ready.")).toBeVisible()
  const row = page.getByRole("listitem").filter({ has: page.getByRole("heading", { name: /bgpt-text/ }) })
  await expect(row).toContainText("Imported from bgpt-text.pth, weights of bGPT")
  await expect(row).toContainText("License: MIT")
  await expect(row).toContainText("not measured")
})

test("weights of no kind that is known are refused with one line, and nothing of them stays", async ({ app }) => {
  const file = { name: "archive.pt", bytes: readFileSync(join(import.meta.dirname, "../import/archive.pt")) }
  const page = await app.open()
  await dropFiles(page, [file])
  await page.getByRole("button", { name: "Import" }).click()
  await expect(page.locator(".notices .problem")).toContainText(/archive.pt was not imported/)
  expect(readdirSync(join(app.home, "packs"))).toEqual([])
})

test("a damaged pack is refused with one line, and nothing of it stays", async ({ app }) => {
  const page = await app.open()
  await dropFiles(page, packFiles(readFileSync(join(parity, "weights.safetensors")).subarray(0, 5000)))
  await expect(page.locator(".notices .problem")).toContainText(/weights/)
  await expect(page.locator(".notices .problem")).not.toContainText("Error:")
  expect(existsSync(join(app.home, "packs", "parity-modern"))).toBe(false)
  await dropFiles(page, packFiles().slice(0, 1))
  await expect(page.getByText(/A pack is two files/)).toBeVisible()
})

test("a pack that is damaged on the disk is listed with what is wrong", async ({ app }) => {
  mkdirSync(join(app.home, "packs/broken"), { recursive: true })
  writeFileSync(join(app.home, "packs/broken/pack.json"), "{")
  const page = await app.open()
  await page.getByRole("button", { name: "Models and preferences" }).click()
  await expect(page.getByText(/pack.json is damaged: it is not JSON/)).toBeVisible()
  await page.keyboard.press("Escape")
  await openSettings(page)
  await expect(page.getByRole("combobox", { name: "Model" })).toHaveValue("text")
})

test("any file is continued and scored byte for byte with a pack for bytes, and saved as it came", async ({ app }) => {
  app.addRandomPack()
  const page = await app.open()
  await setUp(page, { length: 32 })
  await chooseModel(page, "Random weights, modern")
  await setUp(page, { length: 32 })
  // No text, picture or sound: a byte order mark of nothing, and control bytes.
  const file = Buffer.from(Array.from({ length: 300 }, (_, i) => (i * 7) % 256))
  await dropFiles(page, [{ name: "data.bin", bytes: file }])
  await expect(page.getByRole("region", { name: "The file to go on from" })).toContainText("0007")
  await page.keyboard.press("Control+Enter")
  await expect(page.getByRole("region", { name: "Bytes of data.bin" })).toBeVisible()
  await finished(page)
  const made = readFileSync(join(folderOf(app.home), "output.bin"))
  expect(made.length).toBe(332)
  expect(made.subarray(0, 300).equals(file)).toBe(true)
  const download = page.waitForEvent("download")
  await share(page, "Save file")
  expect(readFileSync(await (await download).path()).equals(made)).toBe(true)

  await dropFiles(page, [{ name: "data.bin", bytes: file }])
  await page.locator(".actionbar").getByRole("button", { name: "Surprise" }).click()
  await expect(page.getByRole("region", { name: "Bytes of Score of data.bin" })).toBeVisible()
  await expect(page.locator(".headline")).toContainText("bits/byte")
  expect(await violations(page)).toEqual([])
})

test("preferences last: threads, the library's folder, the theme", async ({ app }) => {
  let page = await app.open()
  await page.getByRole("button", { name: "Models and preferences" }).click()
  await page.getByRole("textbox", { name: "Threads" }).fill("1")
  await page.getByRole("textbox", { name: "Threads" }).press("Enter")
  const folder = join(app.home, "elsewhere")
  await page.getByRole("textbox", { name: "Library folder" }).fill(folder)
  await page.getByRole("textbox", { name: "Library folder" }).press("Enter")
  await expect(page.getByText(`Kept in ${folder}`)).toBeVisible()
  await page.getByRole("combobox", { name: "Theme" }).selectOption("dark")
  await page.getByRole("textbox", { name: "Library folder" }).fill("/proc/nowhere")
  await page.getByRole("textbox", { name: "Library folder" }).press("Enter")
  await expect(page.getByText(/cannot be used as the library/)).toBeVisible()

  await app.close()
  page = await app.open()
  await page.getByRole("button", { name: "Models and preferences" }).click()
  await expect(page.getByText(`Kept in ${folder}`)).toBeVisible()
  await page.keyboard.press("Escape")
  await setUp(page, { length: 20 })
  await page.keyboard.press("Control+Enter")
  await finished(page)
  // The item's folder; what belongs to the library itself begins with a dot.
  expect(readdirSync(folder).filter((name) => !name.startsWith("."))).toHaveLength(1)
  expect(JSON.parse(readFileSync(join(app.home, "preferences.json"), "utf8")).threads).toBe(1)
})

test("what the app runs on: every device is tried, the choice lasts, and the run says what it was on", async ({
  app,
}) => {
  let page = await app.open()
  await page.getByRole("button", { name: "Models and preferences" }).click()
  await expect(page.getByRole("list", { name: "Devices" })).toContainText("processor: works")
  await expect(page.getByRole("list", { name: "Devices" })).toContainText("GPU: ")
  await page.getByRole("button", { name: "Done" }).click()
  await setUp(page, { length: 20 })
  await page.keyboard.press("Control+Enter")
  await finished(page)
  await expect(page.getByText(/The last run was on the (processor|GPU)\./)).toBeVisible()
  await openSettings(page)
  await page.getByRole("combobox", { name: "Device" }).selectOption("cpu")
  await openSettings(page)
  await expect(page.getByRole("combobox", { name: "Device" })).toHaveValue("cpu")
  await app.close()
  page = await app.open()
  await openSettings(page)
  await expect(page.getByRole("combobox", { name: "Device" })).toHaveValue("cpu")
})

test("drag a result out as a file, and back in as a prompt", async ({ app }) => {
  const page = await app.open()
  await setUp(page, { length: 40 })
  await prompt(page).fill("Once upon")
  await page.keyboard.press("Control+Enter")
  await finished(page)
  const transfer = await page.evaluateHandle(() => new DataTransfer())
  await page.dispatchEvent(".topbar h1", "dragstart", { dataTransfer: transfer })
  const url = await transfer.evaluate((t) => t.getData("DownloadURL"))
  const [, base64 = ""] = /^text\/plain:Once upon\.txt:data:text\/plain;base64,(.*)$/.exec(url) ?? []
  const text = Buffer.from(base64, "base64").toString()
  expect(text).toHaveLength(49)
  await page.dispatchEvent(".app", "drop", { dataTransfer: transfer })
  await expect(prompt(page)).toHaveValue(text)
})

test("a saved text that is dropped again brings its settings back", async ({ app }) => {
  const page = await app.open()
  await setUp(page, { length: 40 })
  await setUp(page, { seed: 4321 })
  await prompt(page).fill("Once upon")
  await page.keyboard.press("Control+Enter")
  await finished(page)
  const [file] = await Promise.all([page.waitForEvent("download"), share(page, "Save text")])
  const saved = readFileSync(await file.path())
  await page.reload()
  await dropFiles(page, [{ name: "saved.txt", bytes: saved }])
  await expect(page.getByText(/settings are restored/)).toBeVisible()
  await openSettings(page)
  await expect(page.getByRole("textbox", { name: "Seed" })).toHaveValue("4321")
})
