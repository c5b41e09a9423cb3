"""Which test shows what happens to each kind of bad input. A row without a test, or a test that is gone, fails here."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]

#: Bad input -> where it is shown: file (under tests) and test.
TABLE: dict[str, tuple[str, ...]] = {
    "missing CT": ("volumes/test_read.py::test_a_missing_file", "faults/test_case_files.py::test_a_missing_ct"),
    "unreadable CT": (
        "volumes/test_read.py::test_a_file_that_is_no_volume",
        "volumes/test_read.py::test_a_file_cut_short",
        "volumes/test_read.py::test_a_flipped_bit_in_the_archive",
        "volumes/test_read.py::test_a_header_that_claims_more_than_any_ct",
        "faults/test_case_files.py::test_an_unreadable_ct",
        "faults/test_case_files.py::test_a_ct_cut_short",
    ),
    "affine that is singular or sheared": (
        "volumes/test_read.py::test_an_affine_that_places_nothing",
        "faults/test_case_files.py::test_an_affine_that_places_nothing",
    ),
    "mask of other geometry": (
        "volumes/test_read.py::test_labels_of_another_size",
        "volumes/test_read.py::test_labels_that_lie_elsewhere",
        "faults/test_case_files.py::test_a_mask_of_another_size",
        "faults/test_case_files.py::test_a_mask_that_lies_elsewhere",
        "faults/test_case_files.py::test_a_mirrored_mask",
    ),
    "structure with no voxels": ("scene/test_extract.py::test_nothing_there", "faults/test_case_files.py::test_a_structure_without_voxels"),
    "limit of danger above caution": (
        "faults/test_case_files.py::test_limits_and_roles_that_make_no_sense",
        "faults/test_case_files.py::test_a_spoilt_case_is_refused_by_name[danger above caution]",
        "faults/test_live_core.py::test_a_bad_command_is_answered_and_the_core_goes_on",
    ),
    "unknown key in case.toml": ("faults/test_case_files.py::test_a_spoilt_case_is_refused_by_name[unknown key]",),
    "landmark outside the CT": ("faults/test_case_files.py::test_a_spoilt_case_is_refused_by_name[landmark outside]",),
    "fewer than 3 landmarks": (
        "faults/test_case_files.py::test_a_spoilt_case_is_refused_by_name[two landmarks]",
        "register/test_landmarks.py::test_landmarks_that_cannot_be_used",
        "twin/test_setup.py::test_registration_request_pairs_what_was_touched_in_the_cases_order",
    ),
    "collinear landmarks": (
        "faults/test_case_files.py::test_a_spoilt_case_is_refused_by_name[collinear landmarks]",
        "register/test_landmarks.py::test_landmarks_that_cannot_be_used",
    ),
    "NaN pose": (
        "faults/test_poses.py::test_a_matrix_that_is_no_pose",
        "faults/test_poses.py::test_a_quaternion_that_is_no_rotation",
        "contracts/test_nouns.py::test_what_is_not_finite_cannot_be_said",
        "tracking/test_recorded.py::test_a_bad_pose_is_invalid_with_the_reason",
        "twin/test_faults.py::test_nan_cannot_even_be_said",
    ),
    "non-orthonormal pose": (
        "faults/test_poses.py::test_a_matrix_that_is_no_pose",
        "tracking/test_recorded.py::test_no_sixteen_numbers_crash_the_reader_or_make_an_unsound_pose",
        "twin/test_faults.py::test_a_pose_refused_by_the_source_is_invalid_and_alarmed",
    ),
    "left-handed pose": (
        "faults/test_poses.py::test_a_matrix_that_is_no_pose",
        "tracking/test_recorded.py::test_a_bad_pose_is_invalid_with_the_reason",
    ),
    "time stamps that repeat or go backwards": (
        "twin/test_faults.py::test_repeated_backward_and_future_stamps_are_not_used_and_are_told_of",
        "tracking/test_recorded.py::test_stamps_that_repeat_go_back_or_jump_pass_and_are_counted",
        "faults/test_live_core.py::test_stamps_that_repeat_go_back_or_jump_are_told_of_and_not_used",
    ),
    "time stamps that jump": (
        "twin/test_faults.py::test_a_jump_forward_is_a_gap_not_a_fault",
        "twin/test_faults.py::test_frames_that_arrive_too_old_are_stale_and_the_source_is_called_slow",
        "faults/test_live_core.py::test_an_arrival_stamp_from_the_future_cannot_stop_the_clock",
    ),
    "log cut anywhere": (
        "record/test_damage.py::test_a_log_cut_anywhere_is_named_and_rescued_up_to_the_cut",
        "faults/test_command_line.py::test_a_damaged_log_is_refused_by_every_command",
    ),
    "log with a flipped bit": (
        "record/test_damage.py::test_a_flipped_bit_anywhere_is_detected_and_the_rest_rescued",
        "record/test_damage.py::test_flipped_bits_at_random_are_detected",
        "faults/test_command_line.py::test_a_damaged_log_is_refused_by_every_command",
        "end_to_end/test_golden.py::test_an_altered_log_is_named_and_refused",
    ),
    "slices missing, doubled, uneven, turned or of other size": (
        "volumes/dicom/test_geometry.py::test_a_hole_is_never_bridged",
        "volumes/dicom/test_geometry.py::test_copies_are_named_and_left_out_only_when_asked",
        "volumes/dicom/test_geometry.py::test_two_pictures_of_one_place_are_refused",
        "volumes/dicom/test_geometry.py::test_what_is_no_volume_is_refused_by_name",
    ),
    "tilted gantry": (
        "volumes/dicom/test_geometry.py::test_a_tilted_gantry_is_refused_with_its_angle",
        "volumes/dicom/test_geometry.py::test_a_tilted_stack_resamples_to_the_field_it_was_cut_from",
        "volumes/dicom/test_scanned.py::test_the_scanned_region_is_where_slices_are",
    ),
    "archive that swells or leaves its folder": (
        "volumes/dicom/test_hostile.py::test_bombs_are_refused",
        "volumes/dicom/test_hostile.py::test_no_member_leaves_the_folder",
        "volumes/dicom/test_hostile.py::test_links_and_devices_are_refused",
        "files/test_guard.py::test_a_small_archive_cannot_swell",
    ),
    "DOCTYPE or entities in XML": ("files/test_guard.py::test_xml_that_reads_others_or_swells_is_refused",),
    "pickle": ("files/test_door.py::test_what_is_nothing_is_refused",),
    "length of 2 GB in a DICOM header": ("volumes/dicom/test_hostile.py::test_a_length_of_2_gb_claims_no_memory",),
    "OpenIGTLink body of 2^40 bytes": ("igtl/test_reader.py::test_a_body_that_is_too_long_breaks_the_stream",),
    "NIfTI in metres that says millimetres": ("volumes/test_nifti.py::test_metres_that_are_called_millimetres_show_by_the_size",),
    "mesh that lies about its counts, or has no stated axes": (
        "meshes/test_read.py::test_damaged_and_hostile_files_are_refused",
        "meshes/test_read.py::test_axes_that_are_no_axes",
        "meshes/test_read.py::test_units",
        "meshes/test_repair.py::test_what_cannot_be_mended_is_refused",
        "meshes/test_formats.py::test_what_cannot_come_in_is_refused_and_the_case_stays",
    ),
    "files with bytes changed": (
        "files/test_door.py::test_files_that_lie_are_refused_in_our_own_words",
        "volumes/test_hostile.py::test_a_changed_byte_never_breaks_out",
        "volumes/dicom/test_hostile.py::test_mutated_headers_are_read_or_refused",
        "tracking/igtl/test_sightings.py::test_a_hostile_stream_gives_frames_or_refusals_and_never_a_false_pose",
    ),
    "tracker that sends rubbish, or goes": (
        "tracking/igtl/test_source.py::test_a_stream_that_cannot_be_followed_is_dropped_with_its_reason_and_tried_again",
        "tracking/igtl/test_source.py::test_a_server_that_goes_is_told_once_and_found_again",
        "tracking/ndi/test_ndi.py::test_a_garbled_line_is_told_and_the_tracker_is_sought_again",
        "tracking/ndi/test_ndi.py::test_absent_hardware_is_a_clear_message",
    ),
    "port in use": ("bus/test_server.py::test_port_in_use_names_port_and_flag", "faults/test_command_line.py::test_a_port_in_use"),
    "subscriber that stalls": (
        "bus/test_server.py::test_stalled_subscriber_slows_nobody_and_memory_stays_bounded",
        "faults/test_live_core.py::test_a_stalled_subscriber_delays_no_alert_while_the_core_runs_flat_out",
    ),
    "malformed commands": (
        "bus/test_server.py::test_bad_command_is_answered_and_never_obeyed",
        "bus/test_server.py::test_random_bytes_are_never_obeyed",
        "faults/test_live_core.py::test_a_bad_command_is_answered_and_the_core_goes_on",
    ),
    "oversized commands": (
        "bus/test_server.py::test_frame_above_the_hard_limit_disconnects_its_sender_only",
        "faults/test_live_core.py::test_a_bad_command_is_answered_and_the_core_goes_on",
        "faults/test_live_core.py::test_a_frame_above_the_hard_limit_costs_its_sender_the_line_and_nobody_else",
    ),
    "unknown commands": (
        "faults/test_live_core.py::test_a_bad_command_is_answered_and_the_core_goes_on",
        "contracts/test_determinism.py::test_no_order_of_any_kind_stops_the_fold",
    ),
    "non-loopback bind without keys": (
        "bus/test_server.py::test_open_bind_without_keys_is_refused",
        "faults/test_command_line.py::test_a_bind_beyond_this_machine_without_keys",
    ),
    "worker process that dies": ("faults/test_workers.py::test_a_worker_that_is_killed_is_told_of_and_replaced",),
    "disk full": (
        "record/test_log.py::test_a_full_disk_is_an_oserror_in_the_loop_and_what_fitted_is_rescued",
        "faults/test_live_core.py::test_a_full_disk_ends_the_recording_and_not_the_session",
    ),
    "source that fails": ("faults/test_live_core.py::test_a_source_that_fails_is_told_of_with_its_reason",),
    "source that stops delivering": ("faults/test_live_core.py::test_a_source_that_stops_delivering_is_stale_within_100_ms_of_max_age",),
    "core that is killed": ("end_to_end/test_killed_core.py::test_a_killed_core_is_noticed_and_its_log_rescued",),
}


@pytest.mark.parametrize("row", TABLE)
def test_every_row_has_its_tests(row: str) -> None:
    assert TABLE[row]
    for name in TABLE[row]:
        file, _, test = name.partition("::")
        function, _, case = test.partition("[")
        tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
        assert function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, f"{name} is gone"
        if case:
            ids = {k.value.value for call in ast.walk(tree) if isinstance(call, ast.Call) for k in call.keywords
                   if k.arg == "id" and isinstance(k.value, ast.Constant)}  # fmt: skip
            assert case.rstrip("]") in ids, f"{name} is gone"
