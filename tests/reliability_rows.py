"""The catalog of failures: each row, what may fail, and the tests of it."""

from __future__ import annotations

from typing import Final, NamedTuple


class Row(NamedTuple):
    """One way in which tools of this kind fail."""

    number: int
    what: str
    tests: tuple[str, ...]
    """``path/below/tests.py::function``, at least one."""


_RECORDING: Final = "sources/recording/test_recording.py"
_HOSTILE: Final = "sources/recording/test_hostile_files.py"
_LIVE: Final = "sources/live/test_live.py"
_LIFE: Final = "tui/terminal/test_lifecycle.py"
_SAMPLER: Final = "sampling/test_sampler.py"
_THREAD: Final = "engine/test_sampler_thread.py"
_CONTROL: Final = "test_process_control.py"

ROWS: Final = (
    Row(
        1,
        "escape sequences in names",
        (
            "e2e/test_hostile.py::test_no_raw_byte_of_a_name_reaches_the_terminal",
            "test_sanitize.py::test_every_code_point_comes_out_visible_and_harmless_and_takes_a_cell",
        ),
    ),
    Row(
        2,
        "C1 controls",
        (
            "e2e/test_hostile.py::test_no_raw_byte_of_a_name_reaches_the_terminal",
            "test_sanitize.py::test_no_pair_of_bytes_comes_out_as_anything_but_visible_text",
        ),
    ),
    Row(
        3,
        "markup in names",
        (
            "tui/table/test_process_table.py::test_hostile_names_are_drawn_as_they_are",
            "test_architecture.py::test_no_data_becomes_markup_or_code",
        ),
    ),
    Row(
        4,
        "actions in names",
        ("tui/table/test_process_list.py::test_a_click_on_a_name_that_spells_an_action_only_selects",),
    ),
    Row(5, "brackets in names", ("tui/table/test_process_table.py::test_hostile_names_are_drawn_as_they_are",)),
    Row(
        6,
        "blanks and parentheses in names",
        (
            "procfs/test_stat.py::test_any_name_comes_back_as_it_was",
            "procfs/test_stat.py::test_a_live_name_of_the_worst_kind_is_read_whole",
        ),
    ),
    Row(
        7,
        "names that are not UTF-8",
        (
            "headless/test_formats.py::test_names_that_are_not_utf_8_are_also_given_exactly",
            "e2e/test_hostile.py::test_json_keeps_names_exact_and_batch_output_is_clean",
        ),
    ),
    Row(
        8,
        "names of odd width or direction",
        (
            "tui/drawing/test_cell_text.py::test_any_cleaned_text_fills_exactly_its_cells",
            "tui/table/test_process_table.py::test_columns_behind_a_wide_name_stay_aligned",
        ),
    ),
    Row(
        9,
        "enormous command lines",
        (
            f"{_LIVE}::test_a_command_line_is_bounded",
            f"{_LIVE}::test_a_real_command_line_of_megabytes_costs_little",
            f"{_SAMPLER}::test_a_command_line_is_read_up_to_its_limit",
        ),
    ),
    Row(
        10,
        "hostile text in errors and reports",
        (
            f"{_LIFE}::test_an_internal_error_ends_with_a_short_report_without_local_variables",
            f"{_SAMPLER}::test_hostile_text_in_a_problem_is_cleaned",
            f"{_RECORDING}::test_control_characters_of_a_file_do_not_reach_its_error",
        ),
    ),
    Row(
        11,
        "names in commands, SQL and paths",
        (
            "test_architecture.py::test_no_data_becomes_markup_or_code",
            f"{_RECORDING}::test_any_history_of_processes_is_given_back",
        ),
    ),
    Row(
        12,
        "consumers of CSV and JSON",
        (
            "headless/test_formats.py::test_a_sample_is_one_line_of_strict_json_whatever_the_names",
            "headless/test_formats.py::test_no_cell_of_csv_is_a_formula",
        ),
    ),
    Row(
        13,
        "a process ends while it is read",
        (f"{_LIVE}::test_every_errno_means_one_thing", f"{_SAMPLER}::test_a_process_comes_and_goes"),
    ),
    Row(14, "zombies", (f"{_SAMPLER}::test_a_real_zombie_is_one",)),
    Row(
        15,
        "a main thread that has ended",
        (f"{_SAMPLER}::test_a_real_process_whose_main_thread_has_ended_keeps_its_memory",),
    ),
    Row(
        16,
        "a pid reused in the chart",
        (
            f"{_LIVE}::test_a_none_comes_between_two_processes_with_one_pid_in_100_forced_reuses",
            f"{_SAMPLER}::test_a_pid_reused_in_the_same_tick_is_a_new_life_even_with_the_same_start",
            f"{_SAMPLER}::test_a_pid_reused_unnoticed_by_statm_is_found_out_by_its_start",
        ),
    ),
    Row(
        17,
        "a pid reused at kill",
        (
            f"{_CONTROL}::test_a_pid_that_means_another_process_by_now_is_refused_and_lives_on",
            f"{_CONTROL}::test_one_that_ends_while_the_dialog_is_open_is_sent_nothing",
            f"{_CONTROL}::test_a_zombie_that_nobody_has_waited_for_is_sent_nothing",
        ),
    ),
    Row(
        18,
        "a list that moves under the cursor",
        (
            "tui/table/test_process_list.py::test_selection_stays_with_its_process_through_every_order",
            "e2e/test_keys.py::test_a_signal_is_sent_only_after_a_question",
        ),
    ),
    Row(
        19,
        "signals that may not be sent",
        (
            f"{_CONTROL}::test_what_cannot_be_signalled_is_refused_with_the_reason",
            f"{_CONTROL}::test_init_memtop_itself_and_what_it_runs_in_are_refused",
            f"{_CONTROL}::test_a_signal_that_is_not_permitted_is_said",
        ),
    ),
    Row(
        20,
        "the /proc of another pid namespace",
        (
            "test_preflight.py::test_the_proc_of_another_pid_namespace_is_noticed",
            f"{_CONTROL}::test_with_the_proc_of_another_pid_namespace_nothing_is_held",
        ),
    ),
    Row(21, "exec and renaming", (f"{_SAMPLER}::test_a_real_exec_is_noticed_and_a_real_rename_is_not_one",)),
    Row(
        22,
        "counters that go back",
        (
            "engine/test_engine.py::test_a_counter_that_goes_back_has_no_rate",
            "history/test_process_history.py::test_a_counter_that_goes_back_has_no_rate_and_makes_no_spike",
        ),
    ),
    Row(
        23,
        "hiding from the listing",
        (
            f"{_SAMPLER}::test_a_process_that_the_listing_misses_is_read_where_it_was_asked_for",
            "cli/test_fork_storm.py::test_a_storm_of_forks_costs_no_sample_of_the_process_asked_for",
        ),
    ),
    Row(
        24,
        "137 is no proof of an OOM kill",
        (
            "test_real_oom.py::test_an_oom_kill_is_certain_and_its_cgroup_is_named",
            "test_real_oom.py::test_a_kill_by_hand_in_a_limited_cgroup_is_no_oom",
        ),
    ),
    Row(
        25,
        "hidepid=1",
        (
            "cli/test_hidepid.py::test_what_proc_hides_is_said_by_every_output",
            "cli/test_hidden.py::test_a_pid_that_proc_does_not_show_is_hidden_or_absent",
        ),
    ),
    Row(
        26,
        "hidepid=2 and 4",
        (
            "cli/test_hidepid.py::test_what_proc_hides_is_said_by_every_output",
            f"{_SAMPLER}::test_how_many_are_invisible_is_not_known",
        ),
    ),
    Row(
        27,
        "subset=pid and no /proc",
        (
            "cli/test_hidepid.py::test_where_proc_has_processes_only_they_are_shown",
            "test_preflight.py::test_without_proc_it_refuses",
            f"{_SAMPLER}::test_files_of_the_machine_that_are_missing_are_unknown",
        ),
    ),
    Row(
        28,
        "what may not be read",
        (
            "engine/test_engine.py::test_what_may_not_be_read_is_unknown_and_not_zero",
            "headless/test_regions.py::test_another_user_is_really_refused",
        ),
    ),
    Row(
        29,
        "reads that block",
        (
            "sources/live/test_foreign_mounts.py::test_samples_go_on_where_pipes_are_bound_over_the_files_of_a_process",
            "sources/live/test_foreign_mounts.py::test_a_file_system_that_does_not_answer_costs_a_sample_little",
            f"{_LIVE}::test_a_blocked_reading_is_reported_and_others_are_still_served",
        ),
    ),
    Row(
        30,
        "smaps holds the target up",
        (
            "sampling/test_smaps.py::test_readings_take_at_most_a_hundredth_of_the_time",
            "sampling/test_smaps.py::test_what_would_hold_up_a_large_process_is_read_only_when_asked_for_and_says_its_cost",
            "test_bench_latency.py::test_a_first_look_that_holds_the_target_up_for_too_long_is_told",
        ),
    ),
    Row(
        31,
        "fields that drift",
        (
            "procfs/test_status.py::test_a_line_that_is_missing_makes_its_own_field_unknown_and_no_other",
            "procfs/test_smaps.py::test_a_lost_a_doubled_and_a_strange_line_harm_only_their_mapping",
            "procfs/test_machine.py::test_meminfo_without_one_line_and_in_any_order",
        ),
    ),
    Row(
        32,
        "cgroups that move and vanish",
        (
            "sampling/test_cgroups.py::test_a_process_that_is_moved_is_found_in_its_new_cgroup",
            "sampling/test_cgroups.py::test_a_cgroup_that_is_removed_leaves_unknowns_and_its_name",
        ),
    ),
    Row(33, "names of users that hang", (f"{_SAMPLER}::test_the_user_is_a_number_until_the_name_is_known",)),
    Row(
        34,
        "clocks that jump",
        (
            "engine/test_engine.py::test_a_suspend_is_a_gap_in_the_chart_and_no_spike",
            f"{_THREAD}::test_a_long_stall_is_told_once_and_not_made_up_for",
            f"{_RECORDING}::test_a_clock_that_went_back_stands_still_when_played",
        ),
    ),
    Row(
        35,
        "signals that end it",
        (
            f"{_LIFE}::test_a_signal_restores_the_terminal_and_ends_with_its_code",
            "test_signals.py::test_every_mode_ends_by_a_signal_with_its_code",
            "cli/test_early_end.py::test_a_command_that_never_begins_leaves_no_file",
            f"{_LIFE}::test_an_end_that_begins_while_the_screen_is_made_is_as_orderly",
        ),
    ),
    Row(
        36,
        "a crash anywhere",
        (
            f"{_LIFE}::test_an_internal_error_ends_with_a_short_report_without_local_variables",
            f"{_LIFE}::test_a_failure_after_the_early_painting_restores_the_terminal",
            f"{_LIFE}::test_an_application_that_hangs_is_ended_all_the_same",
            "tui/terminal/test_safe_app.py::test_a_worker_of_a_dialog_that_has_closed_may_find_its_widgets_gone",
            f"{_THREAD}::test_an_exception_is_told_in_one_clean_line_and_sampling_goes_on",
        ),
    ),
    Row(37, "SIGKILL of memtop", (f"{_LIFE}::test_after_a_kill_the_terminal_can_be_reset_and_the_next_run_says_how",)),
    Row(
        38,
        "a terminal that vanishes",
        (
            f"{_LIFE}::test_a_terminal_that_vanishes_ends_it_with_129",
            f"{_LIFE}::test_a_terminal_that_vanishes_is_noticed_while_nothing_is_drawn",
            f"{_LIFE}::test_a_terminal_that_vanishes_is_noticed_where_keys_come_from_another_one",
        ),
    ),
    Row(
        39,
        "a terminal that does not read",
        (f"{_LIFE}::test_a_terminal_that_does_not_read_stops_neither_the_sampler_nor_the_end",),
    ),
    Row(40, "stray SIGCONT", (f"{_LIFE}::test_stray_sigconts_start_no_threads",)),
    Row(
        41,
        "ctrl+z",
        (
            f"{_LIFE}::test_ctrl_z_gives_the_terminal_back_until_it_continues",
            "e2e/test_suspend.py::test_ctrl_z_stops_memtop_also_from_a_dialog_until_it_continues",
        ),
    ),
    Row(
        42,
        "tiny and huge terminals",
        (
            "tui/app/test_app.py::test_every_size_draws",
            "tui/app/test_small_dialogs.py::test_a_dialog_waits_where_it_has_no_room",
            "e2e/test_sizes.py::test_a_tiny_terminal_keeps_what_matters_most",
        ),
    ),
    Row(
        43,
        "a storm of sizes",
        ("e2e/test_sizes.py::test_a_storm_of_sizes", "tui/app/test_resizes.py::test_an_outdated_size_is_not_obeyed"),
    ),
    Row(
        44,
        "no terminal, or one that can do nothing",
        (
            "cli/test_cli.py::test_no_terminal_means_batch_also_without_being_told_and_with_any_term",
            "cli/test_cli.py::test_a_terminal_that_can_show_nothing_is_said_and_not_tried",
        ),
    ),
    Row(
        45,
        "no UTF-8, no color",
        (
            "e2e/test_plain.py::test_ascii_draws_nothing_beyond_ascii",
            "e2e/test_plain.py::test_without_colour_nothing_is_coloured",
        ),
    ),
    Row(
        46,
        "late answers of the terminal",
        (
            f"{_LIFE}::test_late_answers_of_the_terminal_do_not_reach_the_shell",
            f"{_LIFE}::test_answers_that_come_before_the_screen_do_not_reach_the_shell",
        ),
    ),
    Row(
        47,
        "strangers on the terminal, a sampler that dies",
        (
            f"{_LIFE}::test_what_others_write_to_the_terminal_is_shown_after_the_end",
            f"{_THREAD}::test_three_failures_in_a_row_make_it_ten_times_slower_until_one_succeeds",
            "tui/app/test_overdue.py::test_samples_that_do_not_come_are_said_with_the_age_of_what_is_shown",
        ),
    ),
    Row(
        48,
        "days of running",
        (
            "engine/test_bounds.py::test_no_container_keeps_the_keys_of_all_processes_that_came_and_went",
            "history/test_rings.py::test_a_track_never_holds_more_than_its_bound_and_always_the_newest",
            "history/test_rings.py::test_a_full_detailed_track_is_thinned_in_its_older_half_and_keeps_its_ends_and_order",
            "history/test_rings.py::test_the_bytes_of_all_tracks_stay_within_their_budget",
            "history/test_rings.py::test_what_is_forgotten_is_gone",
            "history/test_rings.py::test_gaps_are_bounded",
            "history/test_rings.py::test_the_past_of_the_machine_is_bounded",
            "engine/test_bounds.py::test_a_process_that_keeps_executing_programs_has_marks_for_the_last_of_them_only",
            "engine/test_bounds.py::test_an_ended_process_is_remembered_until_many_others_have_ended",
            "tui/app/test_days.py::test_what_is_drawn_again_and_again_leaves_nothing_behind",
        ),
    ),
    Row(
        49,
        "started in a container that is nearly full",
        (
            "test_real_oom.py::test_the_application_survives_memtop_in_a_cgroup_that_is_nearly_full",
            "test_preflight.py::test_it_makes_itself_the_first_victim",
            "test_preflight.py::test_it_is_the_first_victim_before_anything_large_is_imported",
        ),
    ),
    Row(
        50,
        "a limit on memtop's own memory",
        (
            "test_real_oom.py::test_memtop_itself_goes_on_sampling_in_a_small_cgroup",
            "test_preflight.py::test_too_small_a_limit_on_addresses_is_said",
            "test_starvation.py::test_it_does_without_or_says_in_one_line_why_it_cannot",
        ),
    ),
    Row(
        51,
        "thousands of processes",
        (
            f"{_SAMPLER}::test_thousands_of_idle_processes_cost_one_sweep_and_a_few_look_ups",
            "cli/test_fork_storm.py::test_a_storm_of_forks_costs_no_sample_of_the_process_asked_for",
        ),
    ),
    Row(
        52,
        "descriptors",
        (
            f"{_LIVE}::test_when_descriptors_run_out_everything_is_still_read",
            f"{_LIVE}::test_descriptors_of_those_who_come_and_go_are_given_back",
            f"{_LIVE}::test_descriptors_of_the_unlisted_are_given_back",
            f"{_LIVE}::test_descriptors_of_files_that_are_not_kept_are_closed",
            f"{_LIVE}::test_the_descriptor_limit_is_raised_as_far_as_it_may_go",
            "test_starvation.py::test_it_does_without_or_says_in_one_line_why_it_cannot",
            "test_starvation.py::test_a_command_that_could_not_be_watched_does_not_begin",
        ),
    ),
    Row(
        53,
        "paging of memtop itself",
        (
            "test_preflight.py::test_memtop_locks_no_memory",
            "tui/terminal/test_memory_tuning.py::test_the_screen_does_without_openssl_and_keeps_the_collector_out_of_the_start",
        ),
    ),
    Row(
        54,
        "killed while it writes",
        (
            f"{_RECORDING}::test_what_was_written_survives_kill_9",
            f"{_HOSTILE}::test_a_commit_reaches_the_disk",
            f"{_HOSTILE}::test_blocks_are_written_all_or_none",
            "cli/test_recording_trouble.py::test_a_recording_whose_recorder_was_killed_says_so_itself",
        ),
    ),
    Row(
        55,
        "disks that are full, stall, or lose the file",
        (
            f"{_RECORDING}::test_a_full_disk_pauses_the_recording_which_goes_on_when_there_is_room",
            f"{_RECORDING}::test_a_disk_that_stalls_costs_instants_but_no_knowledge",
            f"{_RECORDING}::test_a_file_that_is_removed_while_recording_is_noticed",
            "cli/test_recording_trouble.py::test_it_is_said_and_is_an_error",
            "cli/test_recording_trouble.py::test_a_signal_that_leaves_samples_unsaved_says_so_and_is_an_error",
            "cli/test_recording_trouble.py::test_a_recording_that_lacks_its_last_samples_says_so_itself",
            "cli/test_record.py::test_a_full_disk_ends_it_with_one_sentence",
        ),
    ),
    Row(
        56,
        "damaged and foreign recordings",
        (
            f"{_RECORDING}::test_a_damaged_file_is_one_sentence",
            f"{_RECORDING}::test_an_empty_file_is_explained",
            "cli/test_recording_trouble.py::test_a_recording_that_lacks_its_last_samples_says_so_itself",
        ),
    ),
    Row(
        57,
        "hostile recordings",
        (
            f"{_RECORDING}::test_a_file_that_is_not_a_proper_recording_is_refused",
            f"{_RECORDING}::test_what_is_no_recording_is_refused_at_once",
            f"{_RECORDING}::test_what_is_kept_from_tick_to_tick_has_a_limit",
            "sources/recording/test_hostile_values.py::test_hostile_values_are_frames_or_one_sentence",
            f"{_RECORDING}::test_a_schema_without_end_is_refused_in_time",
            f"{_RECORDING}::test_a_look_into_the_file_has_a_deadline",
            f"{_RECORDING}::test_a_value_that_swells_beyond_every_measure_is_refused",
            f"{_RECORDING}::test_more_processes_than_can_be_shown_are_refused_at_once",
            f"{_HOSTILE}::test_what_is_wrong_is_said_in_one_sentence",
            f"{_HOSTILE}::test_it_is_opened_so_that_nothing_of_it_runs_and_nothing_changes",
            f"{_HOSTILE}::test_a_schema_is_read_for_a_while_only",
            f"{_HOSTILE}::test_one_instant_holds_so_much",
            f"{_HOSTILE}::test_a_keyframe_holds_so_much",
            f"{_HOSTILE}::test_a_keyframe_holds_neither_keyframes_nor_ends",
            f"{_HOSTILE}::test_a_bundle_holds_no_bundle_and_nothing_that_is_looked_for",
            f"{_HOSTILE}::test_times_within_times_are_refused",
            f"{_HOSTILE}::test_a_list_has_so_many_processes",
            f"{_HOSTILE}::test_a_sweep_has_so_many_processes",
            f"{_HOSTILE}::test_a_list_that_grows_has_so_many_processes",
            f"{_HOSTILE}::test_a_set_of_paths_that_grows_has_so_many",
            f"{_HOSTILE}::test_a_set_of_paths_has_so_many",
            f"{_HOSTILE}::test_small_things_count_for_what_each_takes_in_memory",
            f"{_HOSTILE}::test_missing_samples_are_counted_up_to_a_bound",
            f"{_HOSTILE}::test_what_stays_from_tick_to_tick_is_counted_whatever_it_is",
            "sources/recording/test_stream.py::test_records_within_records_cost_no_more_than_their_bytes",
        ),
    ),
    Row(
        58,
        "whose recordings are, and what they hold",
        (
            f"{_RECORDING}::test_a_recording_is_for_its_owner_only_and_is_one_file_in_the_end",
            f"{_RECORDING}::test_nothing_that_exists_is_overwritten",
            f"{_RECORDING}::test_a_file_that_is_swapped_while_it_is_created_is_left_alone",
            f"{_RECORDING}::test_root_records_only_where_others_cannot_swap_files",
            f"{_RECORDING}::test_secrets_of_command_lines_and_whole_environments_stay_out_of_the_file",
        ),
    ),
)
