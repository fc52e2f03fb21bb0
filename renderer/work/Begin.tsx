import { useActions } from "../store/context.ts"

/** What can be done where there is no file to go on from yet. `example`: one that came with the app, and what it is. */
export function Begin({ lead, example }: { lead: string; example?: [file: string, what: string] }) {
  const actions = useActions()
  return (
    <div className="begin">
      <p className="lead">{lead}</p>
      {example && (
        <button type="button" onClick={() => void actions.openExample(example[0])}>
          Try it on an example: {example[1]}
        </button>
      )}
    </div>
  )
}
