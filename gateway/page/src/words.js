// All that the page says, in each of its languages. A test holds that no key is missing in one of them.

/** @type {Record<string, Record<string, string>>} */
export const WORDS = {
  en: {
    documentTitle: "Depth from a photo",
    skip: "Skip to the content",
    name: "Depth",
    pageSettings: "Page",
    api: "API",
    theme: "Light or dark",
    title: "See how far everything is",
    lead: "Drop in a photo. You get its depth: to look at, to turn around, to measure in.",
    dropHere: "Drop a photo here",
    choose: "Choose a photo",
    takePicture: "Take a picture",
    dropHint: "or paste one. JPEG, PNG or WebP. The photo is not kept.",
    noPhoto: "No photo at hand? Try one of these.",
    sample_room: "A room",
    sample_street: "A street",
    sample_coffee: "A cup of coffee",
    sample_cat: "A cat",
    result: "The photo and its depth",
    views: "Views",
    compare: "Compare",
    points: "3-D",
    parallax: "Parallax",
    measure: "Measure",
    slider: "Photo or depth",
    progress: "Progress",
    cancel: "Cancel",
    settings: "Settings",
    look: "Look",
    colours: "Colours",
    nearLimit: "Nearest shown",
    farLimit: "Farthest shown",
    invert: "Near is dark",
    relief: "Relief of the 3-D view",
    edges: "Cut at edges",
    compute: "Compute",
    model: "Network",
    resolution: "Resolution",
    filter: "Filter",
    equalize: "Contrast of the colour picture",
    full: "Send the photo at its full size",
    keep: "Keep",
    colourPng: "PNG, colour",
    video: "Video",
    share: "Copy a link to this depth",
    another: "Another photo",
    close: "Close",
    foot: "Depth is what a network makes of one picture. It can be wrong.",
    startAgain: "Start again",
    stepReference: "Click the two ends of something whose length you know.",
    knownLength: "Its length, in metres",
    stepMeasure: "Click the two ends of anything else.",
    measureNote:
      "One photo has no scale of its own: without a known length there are no metres. The ± covers where you clicked, the lens, and the depth that the network cannot know. It does not cover a depth map that is wrong.",
    estimated: "estimated by the network",
    fromReference: "from your known length",
    reference: "Known length",
    noScale: "no metres yet",
    sending: "Sending the photo",
    computing: "Computing the depth",
    loading: "Getting the depth",
    default: "default",
    untrained: "weights are random: the depth means nothing",
    weights: "weights",
    licence: "licence",
    none: "none",
    guided: "guided",
    crf: "dense CRF",
    median: "median",
    bilateral: "bilateral",
    global: "global",
    clahe: "local (CLAHE)",
    helpCompare: "Drag the line. The number is the depth under the pointer; with the keyboard, move it by the arrow keys.",
    helpPoints: "Drag to turn, scroll or pinch to come nearer. Keyboard: arrow keys, + and −.",
    helpParallax: "Move the pointer over the picture, or tilt the phone. Keyboard: arrow keys.",
    helpMeasure: "Click two points. Keyboard: arrow keys move the cross, Enter sets a point.",
    noWebgl: "This browser has no WebGL 2, so there is no 3-D view and no parallax. The rest works.",
    depthAt: "depth",
    nearer: "larger is nearer",
    farther: "metres, estimated",
    took: "Computed in {ms} ms",
    size: "{width} × {height}",
    saved: "{file} is saved.",
    recording: "Recording three seconds",
    copied: "The link is copied. It shows the depth, without the photo, for as long as the server keeps it.",
    copyThis: "Copy this link: {link}",
    sharedDepth: "A shared depth map, without its photo.",
    notPhoto: "{name} is no photo that a browser can send: choose a JPEG, PNG or WebP file.",
    heic: "{name} is a HEIC photo, which this browser cannot read. Send it as a JPEG: on an iPhone, Settings, Camera, Formats, Most Compatible.",
    tooLarge: "{name} has {size} MB; {limit} MB is the most. Leave “full size” unticked, and it is made smaller first.",
    serverDown: "The server cannot be reached. Is it still running? Your photo is still here: choose it again in a moment.",
    gone: "This link is no longer good: the server keeps a depth map for a limited time.",
    failed: "It did not work: {message}",
    noVideo: "This browser cannot record a video.",
    describe: "Photo and depth of {name}, {width} by {height} pixels",
  },
  zh: {
    documentTitle: "照片测深",
    skip: "跳到正文",
    name: "深度",
    pageSettings: "页面",
    api: "接口",
    theme: "浅色或深色",
    title: "看清一切的远近",
    lead: "放入一张照片，就能得到它的深度：可以观看、转动，也可以测量。",
    dropHere: "把照片拖到这里",
    choose: "选择照片",
    takePicture: "拍照",
    dropHint: "也可以直接粘贴。支持 JPEG、PNG 或 WebP。照片不会被保存。",
    noPhoto: "手边没有照片？试试这些。",
    sample_room: "房间",
    sample_street: "街道",
    sample_coffee: "一杯咖啡",
    sample_cat: "一只猫",
    result: "照片与深度",
    views: "视图",
    compare: "对比",
    points: "三维",
    parallax: "视差",
    measure: "测量",
    slider: "照片或深度",
    progress: "进度",
    cancel: "取消",
    settings: "设置",
    look: "显示",
    colours: "配色",
    nearLimit: "最近显示",
    farLimit: "最远显示",
    invert: "近处为暗",
    relief: "三维起伏",
    edges: "边缘切除",
    compute: "计算",
    model: "网络",
    resolution: "分辨率",
    filter: "滤波",
    equalize: "彩色图的对比度",
    full: "按原始尺寸发送照片",
    keep: "保存",
    colourPng: "彩色 PNG",
    video: "视频",
    share: "复制此深度图的链接",
    another: "换一张照片",
    close: "关闭",
    foot: "深度是网络根据一张图片推测的，可能有误。",
    startAgain: "重新开始",
    stepReference: "点击一个已知长度物体的两端。",
    knownLength: "它的长度（米）",
    stepMeasure: "再点击任意物体的两端。",
    measureNote:
      "一张照片本身没有尺度：没有已知长度就没有米数。± 包含点击位置、镜头以及网络无法得知的深度带来的误差，但不包含深度图本身的错误。",
    estimated: "网络估计",
    fromReference: "根据已知长度",
    reference: "已知长度",
    noScale: "尚无米数",
    sending: "正在发送照片",
    computing: "正在计算深度",
    loading: "正在获取深度",
    default: "默认",
    untrained: "权重是随机的：深度没有意义",
    weights: "权重",
    licence: "许可证",
    none: "无",
    guided: "引导滤波",
    crf: "全连接 CRF",
    median: "中值",
    bilateral: "双边",
    global: "全局",
    clahe: "局部（CLAHE）",
    helpCompare: "拖动分界线。数字是指针处的深度；用键盘时按方向键移动。",
    helpPoints: "拖动以旋转，滚动或双指缩放。键盘：方向键、+ 和 −。",
    helpParallax: "在图上移动指针，或倾斜手机。键盘：方向键。",
    helpMeasure: "点击两个点。键盘：方向键移动十字，回车设点。",
    noWebgl: "此浏览器没有 WebGL 2，因此没有三维视图和视差。其余功能可用。",
    depthAt: "深度",
    nearer: "数值越大越近",
    farther: "米，估计值",
    took: "计算用时 {ms} 毫秒",
    size: "{width} × {height}",
    saved: "已保存 {file}。",
    recording: "正在录制三秒",
    copied: "链接已复制。它只显示深度，不含照片，有效期取决于服务器。",
    copyThis: "请复制此链接：{link}",
    sharedDepth: "分享的深度图，不含照片。",
    notPhoto: "{name} 不是浏览器能发送的照片：请选择 JPEG、PNG 或 WebP 文件。",
    heic: "{name} 是 HEIC 照片，此浏览器无法读取。请以 JPEG 发送：在 iPhone 上，设置、相机、格式、兼容性最佳。",
    tooLarge: "{name} 有 {size} MB，最多 {limit} MB。不勾选“原始尺寸”，照片会先被缩小。",
    serverDown: "无法连接服务器。它还在运行吗？照片仍在：请稍后再选一次。",
    gone: "此链接已失效：服务器只在有限时间内保存深度图。",
    failed: "未能完成：{message}",
    noVideo: "此浏览器无法录制视频。",
    describe: "{name} 的照片与深度，{width} × {height} 像素",
  },
};

let language = "en";

/** The language that is shown. */
export const shown = () => language;

/**
 * Show the page in a language.
 * @param {string} next
 */
export function speak(next) {
  language = next in WORDS ? next : "en";
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
  document.title = say("documentTitle");
  for (const element of document.querySelectorAll("[data-word]"))
    element.textContent = say(/** @type {HTMLElement} */ (element).dataset.word ?? "");
  for (const element of document.querySelectorAll("[data-label]"))
    element.setAttribute("aria-label", say(/** @type {HTMLElement} */ (element).dataset.label ?? ""));
}

/**
 * A text in the language that is shown.
 * @param {string} key
 * @param {Record<string, string | number>} [values] for what stands in braces
 */
export function say(key, values = {}) {
  const text = WORDS[language][key];
  if (text === undefined) throw new Error(`no words for ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** The language of the visitor, or what was chosen before. */
export function preferred() {
  const chosen = localStorage.getItem("language");
  if (chosen) return chosen;
  return navigator.languages.some((each) => each.startsWith("zh")) && !navigator.language.startsWith("en") ? "zh" : "en";
}
