// How the workspace looks to its people.
import { Branding } from "../scopes/Branding";
import { useMay } from "../session/session";

export default function BrandingPage() {
  const mayWrite = useMay()("branding:write");
  return (
    <Branding
      of="workspace"
      description="What is not set is taken from who runs this installation."
      mayWrite={mayWrite}
    />
  );
}
