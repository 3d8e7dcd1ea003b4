// Before test runs have effects outside, the person is told what that means. Must not know where it is asked.
import { Confirm } from "../../ui/Dialog";
import { useBuilder } from "../context";

export function EffectsQuestion({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const builder = useBuilder();
  return (
    <Confirm
      isOpen={isOpen}
      onClose={onClose}
      title="Switch real effects on?"
      action="Switch them on"
      isDangerous
      onConfirm={async () => builder.setState({ isReal: true })}
    >
      From now on a test run of this draft sends its messages to real people, makes its requests and writes
      its data. It stays so until you switch it off or leave this workflow.
    </Confirm>
  );
}
