import { useEffect, useState } from "react"
import type { PackSummary } from "../../contract/app.ts"
import { modalities } from "../../contract/modality/index.ts"
import { size } from "../lib/bytes.ts"
import { bits } from "../lib/words.ts"
import { deviceNames } from "../settings/SettingsPanel.tsx"
import { useActions, useSlice } from "../store/context.ts"
import { ImportForm } from "./ImportForm.tsx"

/** The models there are, and what a person sets for good. */
export function ModelsPage() {
  const actions = useActions()
  const packs = useSlice((s) => s.packs)
  const preferences = useSlice((s) => s.preferences)
  const weights = useSlice((s) => s.weights)
  const folder = useSlice((s) => s.folder)
  return (
    <section className="manage" id="work" aria-label="Models and preferences" tabIndex={-1}>
      <header>
        <h1>Models and preferences</h1>
        <button type="button" onClick={() => actions.setView("home")}>
          Done
        </button>
      </header>
      <p className="note">
        A model pack is a folder with pack.json and weights.safetensors. Drop one anywhere in the window to add it, or
        weights of MEGABYTE-pytorch or bGPT (.pt, .pth, .safetensors).
      </p>
      {weights && <ImportForm key={weights.name} file={weights.name} />}
      <h2>Models</h2>
      <ul className="packs">
        {packs.map((pack) => (
          <PackRow key={`${pack.name} ${pack.shipped}`} pack={pack} chosen={preferences.pack === pack.name} />
        ))}
      </ul>
      <h2>Preferences</h2>
      <Theme />
      <Setting
        label="Threads"
        hint="Cores that the model may use; 0 takes what is fastest here."
        value={String(preferences.threads)}
        valid={(v) => /^\d{1,3}$/.test(v) && Number(v) <= 256}
        onChange={(v) => actions.prefer({ threads: Number(v) })}
      />
      <Devices />
      <Setting
        label="Library folder"
        hint={`Kept in ${folder}. Type another absolute path, or nothing for the default; what is in the old folder stays there.`}
        value={preferences.library}
        valid={() => true}
        onChange={(library) => actions.prefer({ library: library.trim() })}
      />
    </section>
  )
}

function PackRow({ pack, chosen }: { pack: PackSummary; chosen: boolean }) {
  const actions = useActions()
  const [asked, setAsked] = useState(false)
  return (
    <li className={pack.problem ? "damaged" : ""}>
      <h3>{pack.title}</h3>
      {pack.problem ? (
        <p className="problem">{pack.problem}</p>
      ) : (
        <>
          <p>
            {modalities[pack.modality].kind} · {(pack.parameters / 1e6).toFixed(1)} million parameters ·{" "}
            {size(pack.sizeBytes)} · {pack.unmeasured ? "not measured" : `${bits(pack.bitsPerByte)} bits/byte held out`}
          </p>
          <p className="note">License: {pack.license}</p>
          <details>
            <summary>What it learned from</summary>
            <p className="note">{pack.data}</p>
          </details>
        </>
      )}
      <div className="actions">
        {!pack.problem && (
          <button type="button" aria-pressed={chosen} onClick={() => actions.prefer({ pack: pack.name })}>
            {chosen ? "Default" : "Set as default"}
          </button>
        )}
        {pack.shipped ? (
          <span className="note">came with the app</span>
        ) : (
          <button
            type="button"
            onBlur={() => setAsked(false)}
            onClick={() => (asked ? actions.removePack(pack.name) : setAsked(true))}
          >
            {asked ? `Really remove ${pack.title}?` : "Remove"}
          </button>
        )}
      </div>
    </li>
  )
}

/** What the app can run on here: every device was tried just now, in a process of its own. */
function Devices() {
  const actions = useActions()
  const devices = useSlice((s) => s.devices)
  useEffect(actions.tryDevices, [])
  return (
    <div className="field">
      <span>Devices</span>
      {devices ? (
        <ul className="devices" aria-label="Devices">
          {devices.map(({ device, works, half, why }) => (
            <li key={device} title={why}>
              {deviceNames[device]}: {works ? `works${half ? ", in fp16 too" : ""}` : <small>not available</small>}
            </li>
          ))}
        </ul>
      ) : (
        <small>Trying each…</small>
      )}
    </div>
  )
}

/** A text field that takes effect when it is left or Enter is pressed. */
function Setting(props: {
  label: string
  hint: string
  value: string
  valid: (value: string) => boolean
  onChange: (value: string) => void
}) {
  const { label, hint, value, valid, onChange } = props
  const [typed, setTyped] = useState<string>()
  const commit = () => {
    if (typed !== undefined && typed !== value && valid(typed)) onChange(typed)
    setTyped(undefined)
  }
  return (
    <label className="field">
      <span>{label}</span>
      <input
        type="text"
        value={typed ?? value}
        onChange={(e) => setTyped(e.target.value)}
        onBlur={commit}
        onKeyDown={(e) => e.key === "Enter" && commit()}
      />
      <small>{hint}</small>
    </label>
  )
}

/** Theme and motion are this window's own: they are kept by the browser. */
function Theme() {
  const [theme, setTheme] = useState(localStorage.getItem("theme") ?? "system")
  const [motion, setMotion] = useState(localStorage.getItem("motion") ?? "system")
  const set = (name: "theme" | "motion", value: string) => {
    localStorage.setItem(name, value)
    document.documentElement.dataset[name] = value
    ;({ theme: setTheme, motion: setMotion })[name](value)
  }
  return (
    <>
      <label className="field">
        <span>Theme</span>
        <select value={theme} onChange={(e) => set("theme", e.target.value)}>
          <option value="system">System</option>
          <option value="light">Light</option>
          <option value="dark">Dark</option>
        </select>
      </label>
      <label className="field">
        <span>Motion</span>
        <select value={motion} onChange={(e) => set("motion", e.target.value)}>
          <option value="system">System</option>
          <option value="reduced">Reduced</option>
        </select>
      </label>
    </>
  )
}

/** Puts the kept theme and motion on the page; called once, before anything is drawn. */
export function applyAppearance(): void {
  for (const name of ["theme", "motion"])
    document.documentElement.dataset[name] = localStorage.getItem(name) ?? "system"
}
