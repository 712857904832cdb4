type Mode = "block" | "alert" | "allow";
type List = readonly string[] | string;

/**
 * The fields of a policy. A mode that is left out is `block` in the first call, `read_handler` is `allow`. In a later
 * call it stays as it is: that call only makes modes stricter, and may switch clear_tmp, block_foreign_functions and
 * kernel_limits on. Lists and other switches are left out there, or the same. The limits of the kernel hold from the next
 * request for an event on.
 */
export interface Policy {
  outbound_connectivity?: Mode;
  allow_outbound?: List;
  deny_outbound?: List;
  allow_aws?: List;
  allow_buckets?: List;
  check_tls_name?: boolean;
  read_write_tmp?: Mode;
  allow_tmp?: List;
  clear_tmp?: boolean;
  create_child_process?: Mode;
  allow_child_process?: List;
  read_handler?: Mode;
  executable_memory?: Mode | null;
  allow_executable_memory?: List;
  block_foreign_functions?: boolean;
  kernel_limits?: boolean;
  on_failure?: "refuse" | "run_unshielded";
  log_arguments?: boolean;
}

/**
 * Plain objects, `policy` too: what a class or another object lends would be lost. `token` and `disable_analytics` are
 * accepted for the sake of FunctionShield's users, and ignored.
 */
export interface Options {
  policy: Policy;
  token?: unknown;
  disable_analytics?: unknown;
}

/** The configuration cannot be put in force, and nothing has changed; the message names the field and the fix. */
export class ConfigurationError extends Error {}

/**
 * Arms the shield in this process, or makes the modes in force stricter.
 * @throws ConfigurationError
 */
export function configure(options: Options): void;
