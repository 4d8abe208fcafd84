"""Every rule that holds of every history, whatever the retailer. Each asserts, given one."""

from __future__ import annotations

import rules_of_keys as keys
import rules_of_presence as presence
import rules_of_stock as stock
import rules_of_trade as trade
import rules_of_trucks as trucks

RULES = (
    keys.rows_lie_in_their_day_in_order_of_time_and_fit_their_schema,
    keys.keys_are_unique,
    keys.traces_are_gapless_over_all_tables,
    keys.the_plan_counts_what_tables_hold,
    keys.foreign_keys_resolve,
    stock.stock_is_never_below_zero,
    stock.stores_hold_what_the_planner_may_sell_and_what_it_has_promised,
    stock.dcs_hold_what_the_planner_may_ship_what_is_promised_and_what_is_loaded,
    stock.stock_begins_with_the_first_day_at_midnight,
    stock.what_leaves_the_dc_arrives_in_the_store,
    stock.sales_are_receipt_lines,
    stock.online_sales_are_picked_lines,
    stock.returned_goods_go_to_the_shelf_or_are_written_off,
    stock.stock_outs_say_what_was_lost,
    stock.nothing_is_sold_before_its_launch,
    stock.reorders_are_whole_cases_to_the_store_s_dc,
    stock.no_delivery_fills_a_place_beyond_its_capacity,
    trucks.trucks_go_from_their_dc_to_its_store_within_what_they_hold,
    trade.receipts_are_their_lines,
    trade.receipt_ids_say_when_and_where,
    trade.online_orders_go_through_their_statuses,
    trade.online_orders_cost_what_their_kept_lines_cost,
    trade.returns_are_of_lines_that_were_sold,
    trade.prices_change_when_price_changes_say_so,
    presence.nobody_is_in_a_store_that_is_closed,
    presence.stores_pick_and_hand_over_while_somebody_is_there,
    presence.shelves_are_counted_while_stores_are_open,
    presence.entrances_count_everybody_who_pays,
    presence.pings_follow_shoppers_through_the_store,
)
