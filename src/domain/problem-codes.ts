/** What `signet help CODE` says of a code: what happened, why that is refused or reported, and what to do. */
export type Explanation = { readonly title: string; readonly why: string; readonly mend: string };

/**
 * Every code that a Problem may carry. Codes are stable: scripts match on them. docs/problems.md is made of this table.
 */
export const PROBLEM_CODES = {
  ROLE_NONE: {
    title: "No role fits the workload.",
    why: "A workload of an enrolled namespace needs exactly one role. A role fits by namespace, service account, kind, labels and creator; labels only narrow, and the service account `default` fits only a role that names it.",
    mend: "Run the workload under a service account that a role names, or have a WorkloadRole for it approved. `signet why KIND/NAME` lists each role and what keeps it from fitting.",
  },
  ROLE_AMBIGUOUS: {
    title: "More than one role fits the workload.",
    why: "There is no order of specificity between roles: two fits are two fits, and Signet does not guess.",
    mend: "Give each role a service account of its own, or pick one of those that fit with the annotation signet.dev/use-role.",
  },
  ROLE_NOT_ENTITLED: {
    title: "The workload asks for a role that it is not entitled to.",
    why: "An annotation or a label points to something granted elsewhere; it never grants. The role named does not fit this workload.",
    mend: "Take the annotation or label away, or run the workload under a service account that the role names.",
  },
  IDENTITY_SPANS_SEGMENTS: {
    title: "The workload's identity belongs to roles of two segments.",
    why: "Segment is a function of identity: all roles that can cover one namespace and service account must be in one segment, or two workloads with one SPIFFE ID could be in two rooms.",
    mend: "Give the roles different service accounts, or put them in one segment. `signet lint` names every such account.",
  },
  SEGMENT_STRICT: {
    title: "A strict segment shares its namespace with roles of another segment.",
    why: "Whoever may create Pods in a namespace can be every role entitled there, so a segment with `isolation: strict` refuses to share one.",
    mend: "Move the other segment's roles to a namespace of their own.",
  },
  IDENTITY_INVALID: {
    title: "Namespace or service account cannot be part of a SPIFFE ID.",
    why: "A SPIFFE ID is joined from whole path segments of letters, digits, dots, dashes and underscores (SPIFFE-ID §2.2).",
    mend: "Rename the namespace or the service account.",
  },
  APPROVAL_MISSING: {
    title: "The role or its segment is not known to be approved.",
    why: "With --require-approval, and in a cluster, only an approved generation is in force. A bare folder of YAML carries no approvals.",
    mend: "Judge against `signet catalogue export` of a cluster, or have somebody with the verb `approve` approve the definition.",
  },
  APPROVAL_NOT_YOURS: {
    title: "This generation is not yours to approve.",
    why: "A generation is approved by somebody who did not edit it. Service accounts do not approve, and where it is not known who edited, nobody can.",
    mend: "Ask somebody else with the verb `approve`; `signet approvals` lists what waits for whom.",
  },
  APPROVAL_STALE: {
    title: "The object is no longer what was to be approved.",
    why: "It was edited since: an approval is for one generation, and nobody approves what he has not seen.",
    mend: "Look at the newest generation with `signet approvals`, and approve that.",
  },
  FORGED: {
    title: "The workload carries a stamp that Signet did not give it.",
    why: "Labels and annotations under signet.dev/ and role.signet.dev/ say who a workload is; nobody but Signet writes them.",
    mend: "Take the reserved keys out of the manifest; admission writes them.",
  },
  STAMP_OVERWRITTEN: {
    title: "A reserved key was overwritten.",
    why: "The object came with a label or annotation under Signet's prefixes whose value is not the one that follows from its role. Admission replaces it.",
    mend: "Take the key out of the manifest.",
  },
  ROLE_CHANGED: {
    title: "A change would give a running workload another role.",
    why: "Identity is given once, at creation: the certificate and the rules of a running workload follow the role it was created with.",
    mend: "Create the workload anew with the changed labels.",
  },
  STAMP_MISSING: {
    title: "The workload has no stamp.",
    why: "Validation saw an object that mutation had not stamped: the mutating webhook did not answer, or was not asked.",
    mend: "Create the workload again once the mutating webhook answers.",
  },
  HOST_NETWORK: {
    title: "The Pod uses the node's network.",
    why: "A Pod on the host network has the node's address and is outside every network policy.",
    mend: "Take hostNetwork away, or have `hostNetwork` permitted by the role or by an exception.",
  },
  HOST_PID: {
    title: "The Pod sees the node's processes.",
    why: "Through /proc it can read the keys of every workload on the node.",
    mend: "Take hostPID away, or have `hostPID` permitted by the role or by an exception.",
  },
  HOST_IPC: {
    title: "The Pod shares the node's IPC namespace.",
    why: "Shared memory of other processes on the node is open to it.",
    mend: "Take hostIPC away, or have `hostIPC` permitted by the role or by an exception.",
  },
  HOST_PATH: {
    title: "The Pod mounts a path of the node.",
    why: "Kubelet's directories, sockets and other Pods' keys lie in the node's file system.",
    mend: "Use another kind of volume, or have `hostPath:/the/path` permitted by the role or by an exception.",
  },
  HOST_PROCESS: {
    title: "The Pod runs as a Windows host process.",
    why: "A HostProcess container is a process of the node.",
    mend: "Take hostProcess away, or have `hostProcess` permitted by the role or by an exception.",
  },
  PRIVILEGED: {
    title: "A container is privileged.",
    why: "A privileged container is root on the node, in all but name.",
    mend: "Take privileged away, or have `privileged` permitted by the role or by an exception.",
  },
  CAPABILITY_ADDED: {
    title: "A container adds a Linux capability beyond those that runtimes give by default.",
    why: "Capabilities such as NET_ADMIN or SYS_ADMIN can undo what encloses the workload.",
    mend: "Drop the capability, or have `capability:NAME` permitted by the role or by an exception.",
  },
  SIGNER_VOLUME: {
    title: "The Pod mounts a certificate of Signet's signer by itself.",
    why: "Certificates are delivered in volumes that admission writes, with tight modes; one that the manifest brings is not ours.",
    mend: "Take the volume out of the manifest and set `identity.delivery: podCertificate` on the role, or have `signerVolume` permitted.",
  },
  VOLUME_COLLISION: {
    title: "The Pod uses a name or a place that its certificate needs.",
    why: "Certificates are delivered in the volumes signet-svid and signet-trust below /var/run/secrets/signet.dev. What the manifest has there is not overwritten.",
    mend: 'Rename the volume, mount it elsewhere, or keep certificates out of a container with the variable SIGNET_INJECT set to "false".',
  },
  UNCOVERED_INTERFACE: {
    title: "The workload has a network interface that no active target covers.",
    why: "Rules sit on the Pod network. Traffic of a secondary, localnet or bridge network passes them by.",
    mend: "Take the network away, or have `uncoveredInterfaces` permitted by the role or by an exception.",
  },
  EXCEPTION_MISSING: {
    title: "The exception that the workload points to does not exist.",
    why: "The annotation signet.dev/exception names a SegmentException of the workload's own namespace; it grants nothing by itself.",
    mend: "Create the SegmentException and have it approved, or take the annotation away.",
  },
  EXCEPTION_EXPIRED: {
    title: "The exception has ended.",
    why: "A grant has an end; after it the workload is judged as if there were none.",
    mend: "Mend what the exception was for, or have a new one approved.",
  },
  EXCEPTION_NOT_YET: {
    title: "The exception has not begun.",
    why: "Its `notBefore` lies ahead.",
    mend: "Wait until then, or have one approved that begins earlier.",
  },
  EXCEPTION_UNAPPROVED: {
    title: "The exception is not approved.",
    why: "An exception counts when somebody other than its editors has approved it.",
    mend: "Ask somebody with the verb `approve` on it.",
  },
  EXCEPTION_MISMATCH: {
    title: "The exception does not cover what is refused.",
    why: "It permits one check for the workloads of one role; this is another check, path or role.",
    mend: "Point to an exception for this check and role, or request one.",
  },
  ROLE_DEAD: {
    title: "A role can match nothing.",
    why: "Its segment does not exist, or none of the namespaces that it names belongs to that segment.",
    mend: "Name namespaces of the segment, or delete the role.",
  },
  SEGMENT_UNUSED: {
    title: "A segment has no roles.",
    why: "No workload can be in it.",
    mend: "Write a WorkloadRole for it, or delete it.",
  },
  NAMESPACE_SPANS_SEGMENTS: {
    title: "A namespace holds roles of two segments.",
    why: "The namespace is the unit of trust: whoever may create Pods there can be in either segment.",
    mend: "Give each segment namespaces of its own.",
  },
  ACCOUNT_SHARED: {
    title: "Several roles share one service account.",
    why: "They are one principal: targets that enforce by identity cannot tell them apart.",
    mend: "Give each role a service account of its own.",
  },
  REFERENCE_DEAD: {
    title: "A definition names something that does not exist.",
    why: "A sentence, fence or exception about a role or segment that nobody defined has no effect.",
    mend: "Correct the name, or define what it names.",
  },
  TRUST_DOMAIN_DEFAULT: {
    title: "No trust domain is defined.",
    why: "Identities then carry the name cluster.local, which another cluster may carry too.",
    mend: "Write a TrustDomain named `local` with a domain of your own.",
  },
  YAML_SYNTAX: {
    title: "A text is not YAML or JSON.",
    why: "Nothing is guessed from a broken document: the whole file is refused.",
    mend: "Mend the text at the line and column named.",
  },
  FIELD_UNKNOWN: {
    title: "An object has a field that its kind does not know.",
    why: "A field that is silently dropped is a rule that is silently missing.",
    mend: "Correct the spelling, or take the field away. `signet crds` and `kubectl explain` list the fields.",
  },
  FIELD_MISSING: {
    title: "A required field is missing.",
    why: "Without it the object has no meaning.",
    mend: "Write the field.",
  },
  FIELD_INVALID: {
    title: "A field has a value that it cannot have.",
    why: "Values are never trimmed, coerced or guessed.",
    mend: "Write a value of the form that the message names.",
  },
  FIELD_CONFLICT: {
    title: "Fields contradict each other.",
    why: "Each alone would be right; together they have no meaning.",
    mend: "Keep those that you mean.",
  },
  KIND_UNKNOWN: {
    title: "The kind is not one of Signet's.",
    why: "An object of group signet.dev has a kind or version that this Signet does not know.",
    mend: "Correct the kind or the apiVersion. `signet crds` lists the kinds.",
  },
  OBJECT_DUPLICATE: {
    title: "Two objects have one kind and one name.",
    why: "Which of them is meant cannot be known.",
    mend: "Delete or rename one of them.",
  },
  FILE_UNREADABLE: {
    title: "A file or folder could not be read.",
    why: "It does not exist, or may not be opened.",
    mend: "Check the path and its permissions.",
  },
  INPUT_TOO_LARGE: {
    title: "An input is larger than its limit.",
    why: "Limits keep one caller from using up the memory of all.",
    mend: "Send less, or split it.",
  },
  INPUT_EMPTY: {
    title: "There is nothing to judge.",
    why: "The input holds no workload.",
    mend: "Name a file or folder with Pods, Deployments, VMs or other workloads.",
  },
  USAGE: {
    title: "The command was not understood.",
    why: "An argument is missing, unknown or of the wrong form.",
    mend: "`signet help` and `signet COMMAND --help` show the arguments with examples.",
  },
  REVIEW_INVALID: {
    title: "The request is not an AdmissionReview that can be read.",
    why: "The API server sends admission.k8s.io/v1 AdmissionReview as JSON; anything else is answered without a verdict.",
    mend: "Check which webhook configuration sends it.",
  },
  NOT_FOUND: {
    title: "What was asked for does not exist.",
    why: "No object, record or route has this name.",
    mend: "Check the name.",
  },
  NOT_READY: {
    title: "The server is not ready.",
    why: "It is starting, draining, or has no readable catalogue yet.",
    mend: "Try again in a moment; /readyz says what is missing.",
  },
  INTERNAL: {
    title: "Signet failed.",
    why: "This is a fault of ours. The log has its cause; the answer has not, so that no secret leaves.",
    mend: "Report it with the log line.",
  },
  LEDGER_BROKEN: {
    title: "The ledger's chain does not verify.",
    why: "A record was changed, removed or inserted after it was written.",
    mend: "Keep the file as it is, and compare it with the chain heads that were joined elsewhere.",
  },
} as const satisfies Readonly<Record<string, Explanation>>;

/** A stable code of a refusal or finding. */
export type ProblemCode = keyof typeof PROBLEM_CODES;
