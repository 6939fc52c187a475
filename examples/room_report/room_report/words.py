"""What the report says, in English and in Chinese: one table, and the sentences about a product."""

from __future__ import annotations

from typing import Literal, get_args

from room_report.uncertainty import COVER, TAPE_SPREAD
from room_report.verdicts import Verdict

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)

# fmt: off
TEXTS: dict[str, tuple[str, str]] = {
    # the verdict
    "title": ("What fits in this room", "这个房间放得下什么"),
    "title_relative": ("This room has no metres yet", "这个房间还没有实际尺寸"),
    "fits": ("fits", "放得下"),
    "tight": ("tight", "勉强"),
    "probably not": ("probably not", "多半放不下"),
    "does not fit": ("does not fit", "放不下"),
    "not seen": ("not seen", "照片未拍到"),
    "fits_headline": ("{name} fits, {cm} cm to spare", "{name} 放得下，富余 {cm} 厘米"),
    "tight_headline": ("{name} is tight", "{name} 有些勉强"),
    "probably not_headline": ("{name} probably does not fit", "{name} 多半放不下"),
    "does not fit_headline": ("{name} does not fit", "{name} 放不下"),
    "not seen_headline": ("{name}: the photo does not show enough", "{name}：照片拍到的范围不够"),
    "counts": ("{fits} of {all} pieces fit for sure", "{all} 件中有 {fits} 件确定放得下"),
    "no_products": ("The catalogue has no such pieces.", "目录中没有这类商品。"),
    "relative_lead": ("Without something of known size in the photo there are no metres. Mark a door or a length "
                      "that you know, and make the report again.",
                      "照片里没有已知尺寸的参照物，就没有实际尺寸。请标出一扇门或一段已知长度，再生成一次报告。"),
    "size": ("{width} × {depth} × {height} cm, width × depth × height",
             "{width} × {depth} × {height} 厘米（宽 × 深 × 高）"),
    "others": ("Others that fit, by price", "其他放得下的商品（按价格）"),
    "in_photo": ("in {photo}", "见 {photo}"),
    # measures
    "wall": ("longest visible wall", "最长可见墙面"),
    "height": ("room height", "房间净高"),
    "camera height": ("height of the camera", "相机高度"),
    "free width": ("free along the wall", "沿墙空闲宽度"),
    "free depth": ("free into the room", "离墙空闲深度"),
    "free area": ("free floor there", "该处空闲面积"),
    "thing width": ("width", "宽度"),
    "thing height": ("height above the floor", "离地高度"),
    "distance": ("marked length", "标记的距离"),
    "at_least": ("at least", "至少"),
    "measured": ("measured", "实测"),
    "estimated": ("estimated", "估计"),
    "relative": ("relative", "相对"),
    "measured_means": ("Measured: by a thing of known size in the photo.", "实测：以照片中已知尺寸的物体为准。"),
    "estimated_means": ("Estimated: by the network alone; nothing known checks it.",
                        "估计：只凭网络，没有已知尺寸核对。"),
    "relative_means": ("Relative: no metres.", "相对：没有实际尺寸。"),
    # what makes an uncertainty
    "reference": ("the known size", "已知尺寸"),
    "clicks": ("marked points", "标记点"),
    "right angles": ("right angles of the room", "房间的直角"),
    "focal length": ("focal length", "焦距"),
    "gravity": ("which way is up", "竖直方向"),
    "planes": ("edges of planes", "平面的边缘"),
    "network": ("depth network", "深度网络"),
    # why
    "in_width": ("width", "宽度"),
    "in_depth": ("depth", "深度"),
    "in_height": ("height", "高度"),
    "spare_sure": ("{cm} cm to spare in {side}; 95 % sure of at least {least} cm.",
                   "{side}富余 {cm} 厘米；95 % 的把握至少有 {least} 厘米。"),
    "spare_unsure": ("{cm} cm to spare in {side}, but that is uncertain by ± {half} cm.",
                     "{side}富余 {cm} 厘米，但不确定度为 ± {half} 厘米。"),
    "missing_unsure": ("{cm} cm missing in {side}, uncertain by ± {half} cm.",
                       "{side}差 {cm} 厘米，不确定度为 ± {half} 厘米。"),
    "missing_sure": ("{cm} cm missing in {side}.", "{side}差 {cm} 厘米。"),
    "goes_on": ("{cm} cm missing in {side}. The photo does not show what is beside it.",
                "{side}差 {cm} 厘米。照片没有拍到旁边的部分。"),
    "entrance": ("It does not get in through the door or the corridor.", "搬不进门或走廊。"),
    "no floor": ("Nowhere along a wall is the floor free to a depth of {needed} m.",
                 "没有一面墙前有 {needed} 米深的空地。"),
    "floor not shown": ("The photo does not show {needed} m of floor before a wall.",
                        "照片没有拍到墙前 {needed} 米深的地面。"),
    "floor not known": ("This photo's depth does not tell how much of the floor is free.",
                        "从这张照片的深度看不出有多少空地。"),
    "tape_width": ("the free width along this wall", "这面墙前的空闲宽度"),
    "tape_depth": ("the free depth", "空闲深度"),
    "tape_height": ("the height", "高度"),
    "tape": ("Tape {what}: ± {half} cm becomes ± {taped} cm (most of it comes from: {source}).",
             "请用卷尺量{what}：± {half} 厘米可降到 ± {taped} 厘米（主要来源：{source}）。"),
    "show_floor": ("Take a photo that shows more of the floor.", "请再拍一张能看到更多地面的照片。"),
    # headings
    "on_the_photo": ("The room, measured", "房间测量"),
    "plan": ("Floor plan", "平面图"),
    "space": ("The room in 3-D", "房间的三维视图"),
    "measures": ("All measures", "全部测量值"),
    "products": ("All pieces", "全部商品"),
    "quality": ("How good the photo is for measuring", "照片是否适合测量"),
    "made": ("How this was made", "生成方式"),
    "notes": ("Please note", "请注意"),
    "contents_photo": ("Photo {number}: {photo}", "照片 {number}：{photo}"),
    # captions
    "photo_caption": ("Lines are drawn where they were measured. The dashed outline is what was known. The box is "
                      "the piece at its true size.",
                      "线条画在测量的位置。虚线框是已知尺寸的物体；立体框是按实际尺寸画出的商品。"),
    "photo_caption_bare": ("Lines are drawn where they were measured. The dashed outline is what was known.",
                           "线条画在测量的位置。虚线框是已知尺寸的物体。"),
    "stands_apart": ("The piece stands where it has most room for its own depth; the green area is the largest free "
                     "rectangle of all.",
                     "商品放在最适合其深度的位置；绿色区域是面积最大的空地。"),
    "plan_caption": ("To scale; one square is half a metre. Printed at 100 %, it is 1 : {scale}.",
                     "按比例绘制，每格半米。按 100 % 打印时比例为 1 : {scale}。"),
    "free_floor": ("free floor", "空闲地面"),
    "taken_floor": ("something stands there, or a door opens", "已有物品或门前"),
    "unseen_floor": ("not in the photo", "照片未拍到"),
    "walk_zone": ("kept free in front", "前方留空"),
    "camera": ("camera", "相机"),
    "known": ("known", "已知"),
    "space_caption": ("Drag to turn, scroll or pinch to come closer.", "拖动旋转，滚动或双指缩放。"),
    "space_still": ("The room from another side, by its depth map.", "由深度图得到的房间另一视角。"),
    "space_label": ("The room in space. Arrow keys turn it, plus and minus come closer.",
                    "房间的三维视图。方向键旋转，加减键缩放。"),
    "plan_label": ("Floor plan of the room", "房间平面图"),
    "photo_label": ("The photo with its measures", "带尺寸标注的照片"),
    # the tables
    "measure": ("measure", "测量"),
    "value": ("value", "数值"),
    "kind": ("kind", "类型"),
    "budget": ("what makes the ±", "± 的构成"),
    "more": ("{count} more", "其余 {count} 件"),
    "piece": ("piece", "商品"),
    "price": ("price", "价格"),
    "verdict": ("verdict", "结论"),
    "why": ("why", "理由"),
    "again": ("to be sure", "如需确认"),
    "budget_note": ("Each ± holds the true value about 95 times in 100. The right column says how large it would be "
                    "from each cause alone: in cm, of an area in m².",
                    "每个 ± 区间约有 95 % 的把握包含真值。最右列为各个来源单独造成的大小，单位厘米，面积为平方米。"),
    # photo quality
    "good": ("good", "好"),
    "fair": ("fair", "一般"),
    "poor": ("poor", "差"),
    "sharpness": ("sharpness", "清晰度"),
    "sharpness_advice": ("Hold the camera still, or clean the lens.", "请拿稳相机，或擦净镜头。"),
    "light": ("light", "光线"),
    "light_advice": ("Large parts are black or burnt out. Switch on a light, or do not face the window.",
                     "有大片过暗或过曝。请开灯，或不要正对窗户。"),
    "pixels": ("pixels", "像素"),
    "pixels_advice": ("The photo is small. Take the original file.", "照片太小，请用原始文件。"),
    "known size": ("size of the known thing", "参照物大小"),
    "known size_advice": ("The known thing is small in the photo. Go closer to it, or mark a larger one.",
                          "参照物在照片中太小。请靠近些，或标记更大的物体。"),
    "floor seen": ("floor in view", "地面可见"),
    "floor seen_advice": ("Little floor is in view. Step back, or tilt the camera down.",
                          "地面太少。请后退，或把相机向下倾。"),
    "level": ("camera held level", "相机水平"),
    "level_advice": ("The photo is tilted to a side. Hold the camera level.", "照片左右倾斜，请端平相机。"),
    "lens": ("focal length known", "焦距已知"),
    "lens_advice": ("The focal length was assumed. Take the camera's own file, or give its field of view.",
                    "焦距是假设的。请用相机原始文件，或给出视角。"),
    # how it was made
    "photo": ("photo", "照片"),
    "known_things": ("known", "已知"),
    "lens_source": ("focal length", "焦距"),
    "exif": ("from the photo's EXIF", "来自照片 EXIF"),
    "field of view": ("from the given field of view", "由给定视角"),
    "vanishing points": ("from vanishing points", "由消失点"),
    "assumed": ("assumed", "假设"),
    "depth_network": ("depth network", "深度网络"),
    "depth_file": ("depth from", "深度文件"),
    "weights": ("weights", "权重"),
    "licence": ("licence", "许可证"),
    "settings": ("settings", "设置"),
    "date": ("date", "日期"),
    "catalogue": ("catalogue", "目录"),
    "side_gap": ("{cm} cm free on either side", "两侧各留 {cm} 厘米"),
    "front_gap": ("{cm} cm to walk past", "前方留 {cm} 厘米通道"),
    "skirting": ("{cm} cm for the skirting board", "踢脚线 {cm} 厘米"),
    "way_in": ("comes in through {width} × {height} cm", "从 {width} × {height} 厘米的门搬入"),
    "untrained": ("UNTRAINED weights: these numbers mean nothing.", "权重未经训练：这些数字没有意义。"),
    "invented": ("The pieces are invented: an example catalogue.", "示例目录：商品均为虚构。"),
    "not_for_cutting": ("Not for cutting. Measure with a tape before you buy or build anything that must fit to the "
                        "centimetre.",
                        "请勿据此下料。凡是需要精确到厘米的购买或施工，请先用卷尺测量。"),
    "wall_is_least": ("The wall runs out of the photo: it is at least that long.", "墙面超出照片：实际至少这么长。"),
    "no_ceiling": ("The photo shows no ceiling, so heights were not checked.", "照片没有拍到天花板，未核对高度。"),
    "heights_differ": ("{one} and {other} differ about the room's height: {first} m and {second} m. The interval was "
                       "widened to hold both. Check what was marked.",
                       "{one} 与 {other} 得到的净高不同：{first} 米与 {second} 米。区间已放宽到包含两者。请检查标记。"),
    "ways_differ": ("Depth map and vanishing points differ: {0} m and {1} m. The interval was widened to hold both. "
                    "Check the marked points, or tape this length.",
                    "深度图与消失点的结果不同：{0} 米与 {1} 米。区间已放宽到包含两者。请检查标记点，或用卷尺测量。"),
    "floor_not_measured": ("The free floor is not measured: in rooms of known sizes this network's maps were off by "
                           "more than the whole of it. Tape it, or use a better network.",
                           "未测量空闲地面：在已知尺寸的房间里，该网络的误差超过空地本身。请用卷尺测量，或换更好的网络。"),
    # refusals, by the name of the error
    "BadReferenceError": ("{why}", "标记或参照物不正确。详情（英文）：{why}"),
    "ScaleError": ("{why}", "无法由标记确定尺度。详情（英文）：{why}"),
    "NoFloorError": ("{why}", "照片没有拍到足够的地面。详情（英文）：{why}"),
    "RegionError": ("{why}", "区域文件不能使用。详情（英文）：{why}"),
    "DepthFileError": ("{why}", "深度文件不能使用。详情（英文）：{why}"),
    "PhotoError": ("{why}", "照片无法读取。详情（英文）：{why}"),
    "photo_failed": ("{photo} was left out: {why}", "{photo} 未采用：{why}"),
    "photo_relative": ("{photo} gives no metres: nothing of known size is marked in it.",
                       "{photo} 没有实际尺寸：其中没有标记已知尺寸的物体。"),
    "focal_assumed": ("{photo}: the focal length is assumed, within ± 20 %. {why}",
                      "{photo}：焦距为假设值（± 20 %）。详情（英文）：{why}"),
    "door": ("door", "门"),
    "sheet": ("sheet", "纸张或卡片"),
    "length": ("length", "长度"),
    "point": ("distance from the camera", "到相机的距离"),
    "camera_up": ("camera above the floor", "相机离地高度"),
}
# fmt: on


class Words:
    """The texts of one language.

    >>> Words("zh")("fits")
    '放得下'
    """

    def __init__(self, language: Language) -> None:
        self.language = language
        self._column = LANGUAGES.index(language)
        self.semicolon = ("; ", "；")[self._column]

    def __call__(self, key: str, *places: object, **values: object) -> str:
        """The text of that name, with its values filled in."""
        return TEXTS[key][self._column].format(*places, **values)

    def refusal(self, error: Exception) -> str:
        """Why something was refused; in Chinese the kind of reason, and then the details in English."""
        kind = type(error).__name__
        return self(kind, why=error) if kind in TEXTS else str(error)


def reason(verdict: Verdict, words: Words) -> str:
    """Why, in a sentence."""
    if verdict.cause != "margin":
        return words(verdict.cause, needed=f"{verdict.needed:.2f}")
    half = verdict.half_width * 100
    values = {
        "cm": round(abs(verdict.margin) * 100),
        "side": words(f"in_{verdict.side}"),
        "least": max(0, round(verdict.margin * 100 - half)),
        "half": f"{half:.0f}",
    }
    keys = {
        "fits": "spare_sure",
        "tight": "spare_unsure",
        "probably not": "missing_unsure",
        "does not fit": "missing_sure",
        "not seen": "goes_on",
    }
    return words(keys[verdict.word], **values)


def advice(verdict: Verdict, words: Words) -> str:
    """What to measure again, and what it would bring; empty where nothing is open."""
    if verdict.cause == "floor not shown":
        return words("show_floor")
    if verdict.cause != "margin" or verdict.word in ("fits", "does not fit"):
        return ""
    return words(
        "tape",
        what=words(f"tape_{verdict.side}"),
        half=f"{verdict.half_width * 100:.0f}",
        taped=f"{COVER * TAPE_SPREAD * 100:.0f}",
        source=words(verdict.source or "reference"),
    )
