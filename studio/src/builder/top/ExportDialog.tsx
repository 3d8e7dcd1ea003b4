// The workflow as JSON: shown, copied, saved as a file.
import { useQuery } from "@tanstack/react-query";

import { download, fileName } from "../../api/download";
import { errorOf, send } from "../../api/client";
import { Button } from "../../ui/Button";
import { CodeEditor } from "../../ui/CodeEditor";
import { CopyButton } from "../../ui/Copy";
import { Dialog } from "../../ui/Dialog";
import { ErrorNote } from "../../ui/Note";
import { Loading } from "../../ui/Spinner";
import { toast } from "../../ui/Toast";
import { useBuilder, useBuilderState } from "../context";
import { save } from "../save/saving";
import { documentOf } from "../store";

export function ExportDialog({ onClose }: { onClose: () => void }) {
  const builder = useBuilder();
  const id = useBuilderState((state) => state.id);
  const { name } = documentOf(builder);
  const path = `/api/workflows/${id}/export`;
  const { data, error } = useQuery({
    queryKey: ["export", id],
    gcTime: 0,
    queryFn: async () => {
      // The server writes the document; it has what is drawn only when that is saved.
      await save(builder);
      const answer = await send(new Request(new URL(path, location.origin)));
      if (!answer.ok) throw await errorOf(answer);
      return answer.text();
    },
  });
  return (
    <Dialog
      isOpen
      onClose={onClose}
      width="wide"
      title="Export"
      description="The draft as a document. It holds no secrets: credentials are named, not copied."
      actions={
        <Button
          look="primary"
          disabled={!data}
          onClick={() => void download(path, fileName(name, "json")).catch(toast.error)}
        >
          Save as file
        </Button>
      }
    >
      <ErrorNote error={error} />
      {!data && !error && <Loading />}
      {data && (
        <div className="flex items-start gap-1">
          <CodeEditor
            label="The document"
            language="json"
            value={data}
            isReadOnly
            maxHeight="55vh"
            className="flex-1"
          />
          <CopyButton text={data} label="Copy the document" />
        </div>
      )}
    </Dialog>
  );
}
