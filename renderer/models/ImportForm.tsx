import { type FormEvent, useState } from "react"
import { ForeignOptions } from "../../contract/app.ts"
import { useActions } from "../store/context.ts"

/** What a dropped file of another package's weights does not tell. Left empty, that package's own defaults hold. */
const fields = [
  { name: "extension", label: "Ending of its files", hint: "bGPT: txt, bmp or wav; empty: by the file's name." },
  { name: "heads", label: "Attention heads", hint: "Empty: one for every 64 channels." },
  { name: "context", label: "Patches in its context", hint: "MEGABYTE-pytorch: the first max_seq_len; empty: 1,024." },
  { name: "license", label: "License of the weights", hint: "Shown with the model." },
] as const
const isNumber = (name: string) => name === "heads" || name === "context"

/** Asks what the weights `file` do not tell, and has a pack made of them. */
export function ImportForm({ file }: { file: string }) {
  const actions = useActions()
  const [problem, setProblem] = useState<string>()
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const given = [...new FormData(event.currentTarget)].flatMap(([name, value]) => {
      const text = String(value).trim()
      return text ? [[name, isNumber(name) ? Number(text) : text] as const] : []
    })
    const options = ForeignOptions.safeParse(Object.fromEntries(given))
    if (options.success) return void actions.importWeights(options.data)
    const field = fields.find(({ name }) => name === options.error.issues[0]?.path[0])
    setProblem(`${field?.label ?? "One of them"} is not understood. ${field?.hint ?? ""}`)
  }
  return (
    <form className="import" aria-label={`Import ${file}`} onSubmit={submit}>
      <h2>Import {file}</h2>
      <p className="note">Nothing in the file is run. What it does not tell itself may be said here.</p>
      {fields.map(({ name, label, hint }) => (
        <label className="field" key={name}>
          <span>{label}</span>
          <input type="text" name={name} inputMode={isNumber(name) ? "numeric" : "text"} />
          <small>{hint}</small>
        </label>
      ))}
      {problem && <p role="alert">{problem}</p>}
      <div className="actions">
        <button type="submit">Import</button>
        <button type="button" onClick={() => actions.importWeights()}>
          Cancel
        </button>
      </div>
    </form>
  )
}
